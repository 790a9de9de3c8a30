import { EVENT_GROUPS } from './event-groups.ts';

/*
 * One colour has one meaning on all pages: a blue counts, a red is an error, and each thing that events do has its own.
 * Each has a contrast of 3 to 1 with its background, and any two of what events do differ clearly for people with
 * protanopia, deuteranopia or tritanopia (OKLab distance 0.09 or more).
 */
const LIGHT = `--page:#f5f6f8;--card:#fff;--ink:#1b222c;--soft:#55606e;--line:#dfe3e8;--grid:#e8ebef;--link:#175cb3;
--create:#2f7545;--delete:#a54996;--power:#341c63;--move:#b58947;--storage:#284d54;--other:#8a929c;
--main:#2878c8;--bad:#c62f2f;--else:#8a929c;--track:#edf0f3;--alarm:#fdecea;--alarm-ink:#8a1c12;--calm:#e8f3ee;--calm-ink:#14523c;
--warn:#fdf3dc;--warn-ink:#6b4700;
--l1:#e4effb;--l2:#bcd8f6;--l3:#86b8ef;--l4:#2672c0;--l5:#154a86;--low-ink:#1b222c;--high-ink:#fff`;
const DARK = `--page:#0e1218;--card:#161b22;--ink:#e4e8ee;--soft:#9ba6b4;--line:#2b333d;--grid:#242b34;--link:#7db7ff;
--create:#66d386;--delete:#d09ec7;--power:#7258b8;--move:#a27246;--storage:#b6dee0;--other:#7d8793;
--main:#5b9bef;--bad:#ff6b5e;--else:#7d8793;--track:#222932;--alarm:#3a1815;--alarm-ink:#ffb4aa;--calm:#12291f;--calm-ink:#9adcbc;
--warn:#33280f;--warn-ink:#f0cf8a;
--l1:#14253b;--l2:#173c69;--l3:#1c5698;--l4:#6aa6ea;--l5:#a9cff9;--low-ink:#e4e8ee;--high-ink:#0e1218`;

const BASE = `
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
header,main,footer{max-width:68rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.25rem;padding-bottom:1.25rem}
footer{padding-top:.5rem;padding-bottom:2.5rem;color:var(--soft);font-size:.875rem}
h1{margin:.1rem 0 0;font-size:clamp(1.6rem,1.2rem + 1.8vw,2.2rem);line-height:1.2;letter-spacing:-.015em;font-weight:650}
h2{margin:0 0 .35rem;font-size:1.2rem;line-height:1.3;letter-spacing:-.005em;font-weight:650}
h3{margin:1.25rem 0 .5rem;font-size:1rem;font-weight:650}
p{margin:.35rem 0}
a{color:var(--link);text-underline-offset:.15em}
:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:3px}
code{font:.92em/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
small{display:block;color:var(--soft);font-size:.8125rem;font-weight:400}
.eyebrow{margin:0;color:var(--soft);font-size:.9375rem}
.sub,.note{color:var(--soft)}
.note{max-width:46rem;font-size:.9375rem}
section{margin:1rem 0;padding:1.35rem 1.5rem 1.4rem;background:var(--card);border:1px solid var(--line);border-radius:10px}
.alarm{padding:.7rem 1rem;border-radius:8px;background:var(--alarm);color:var(--alarm-ink)}
main>.alarm{margin:0 0 1rem}
.verdict{max-width:46rem;margin:.35rem 0 .6rem}
.verdict.calm,.verdict.warn{max-width:none;padding:.7rem 1rem;border-radius:8px;background:var(--calm);color:var(--calm-ink)}
.verdict.warn{background:var(--warn);color:var(--warn-ink)}
.error{color:var(--alarm-ink)}
.neighbours{display:flex;flex-wrap:wrap;gap:.2rem 1.25rem;margin-top:.4rem}
.contents{margin:1rem 0 0}
.contents ul{display:flex;flex-wrap:wrap;gap:.15rem 1.1rem;margin:0;padding:0;list-style:none;font-size:.9375rem}
`;

const FACTS = `
dl{margin:0}dd{margin:0}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:1px;overflow:hidden;background:var(--line);border:1px solid var(--line);border-radius:10px}
.tiles:has(>:last-child:nth-child(6)){grid-template-columns:repeat(6,1fr)}
.tiles div{padding:.85rem 1.1rem .9rem;background:var(--card)}
.tiles dt{color:var(--soft);font-size:.875rem}
.tiles dd{font-size:1.5rem;line-height:1.25;font-weight:600;letter-spacing:-.01em;font-variant-numeric:tabular-nums}
.facts div{display:grid;grid-template-columns:minmax(8rem,12rem) 1fr;gap:.1rem 1.25rem;padding:.55rem 0;border-top:1px solid var(--grid)}
.facts div:first-child{border-top:0}
.facts dt{color:var(--soft);font-size:.9375rem}
.facts dd{overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
.pair .facts div{grid-template-columns:6rem 1fr}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1rem 2.5rem;align-items:start}
`;

const TABLES = `
section>*+table{margin-top:.75rem}h2+table{margin-top:0}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9375rem}
caption{padding:.25rem 0 .45rem;color:var(--soft);text-align:start;font-size:.9375rem}
th,td{padding:.45rem 0 .45rem .9rem;border-top:1px solid var(--grid);text-align:end;vertical-align:top;white-space:nowrap;font-weight:400}
th:first-child{width:99%;padding-left:0;text-align:start;white-space:normal}
thead th{border-top:0;border-bottom:1px solid var(--line);color:var(--soft);font-size:.875rem}
tbody tr:first-child>*{border-top:0}
.head th,.head td{font-weight:600}
.head small{font-weight:400}
tbody tr.sum :is(th,td){color:var(--soft)}
.barred>span{display:block}
.bars{display:flex;height:7px;margin-top:.35rem;overflow:hidden;border-radius:2px;background:var(--track)}
.bars+.bars{margin-top:3px}
.bars i{height:100%;min-width:2px}.bars i+i{border-left:1px solid var(--card)}
.swatch,.legend i{display:inline-block;width:.7rem;height:.7rem;margin-right:.4rem;border-radius:2px}
.events{background:var(--main)}
.bad{background:repeating-linear-gradient(135deg,var(--bad) 0 3px,color-mix(in srgb,var(--bad) 55%,var(--card)) 3px 5px)}
.else{background:var(--else)}
.servers{background:var(--soft)}
.mask{display:block;max-width:0;min-width:100%;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.time{white-space:nowrap}
.file{overflow-wrap:anywhere}
details{margin-top:1rem}
summary{width:fit-content;color:var(--link);cursor:pointer;font-size:.9375rem}
.wide{margin-top:.6rem;overflow-x:auto;border:1px solid var(--line);border-radius:8px}
.wide caption{padding-left:.9rem}
.wide th:first-child{position:sticky;left:0;width:auto;min-width:5rem;white-space:nowrap;padding-left:.9rem;background:var(--card)}
.wide th,.wide td{padding-right:.9rem}
.wide thead th{vertical-align:bottom;min-width:6.5rem;white-space:normal}
`;

const CHARTS = `
svg{display:block;width:100%;overflow:visible}
svg text{fill:var(--soft);font-size:13px;font-variant-numeric:tabular-nums}
.plot{padding:.9rem 1rem 0 3.5rem}
.grid{stroke:var(--grid)}.base{stroke:var(--soft)}
.hover{fill:transparent}g:hover>.hover{fill:var(--track)}
${EVENT_GROUPS.map((group) => `rect.${group}{fill:var(--${group})}i.${group}{background:var(--${group})}`).join('')}
.bar{fill:var(--main)}svg text.peak{fill:var(--ink)}
.steps{overflow:visible;pointer-events:none}
.steps path{fill:none;stroke-width:1.5;vector-effect:non-scaling-stroke}
.steps .area{fill:var(--main);opacity:.18}.steps .level{stroke:var(--main)}.steps .limit{stroke:var(--ink);stroke-dasharray:5 3}
.legend i.level{height:.5rem;background:var(--main)}
.legend i.limit{width:1.1rem;height:0;border-radius:0;border-top:2px dashed var(--ink);vertical-align:.25rem}
.over-time{margin:1.1rem 0 0}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;margin:.6rem 0 0;padding:0;list-style:none;font-size:.9375rem}
.legend span{color:var(--soft);font-variant-numeric:tabular-nums;white-space:nowrap}
.multiples{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,19rem),1fr));gap:1.6rem 2.5rem;margin-top:1rem}
figure{display:flex;flex-direction:column;justify-content:space-between;gap:.5rem;margin:0}
figcaption{font-weight:600}
figcaption small{display:inline;margin-left:.35rem}
figcaption span{display:block;color:var(--soft);font-size:.875rem;font-weight:400}
.multiples svg text{font-size:12px}
`;

const CALENDAR = `
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
b{font-weight:600}em{font-style:normal}
.months{display:grid;gap:1.25rem}
.calendar{table-layout:fixed;border-collapse:separate;border-spacing:4px}
.calendar caption{padding:.5rem 4px .1rem;color:var(--ink);font-weight:600}
.calendar th,.calendar th:first-child{width:auto;padding:.2rem 0;border:0;text-align:center}
.calendar abbr{text-decoration:none}
.calendar td{height:3.9rem;padding:0;border:0;border-radius:6px;text-align:start;white-space:normal}
.calendar td>*{display:flex;flex-direction:column;height:100%;min-height:3.9rem;padding:.3rem .4rem;border-radius:6px;color:inherit;text-decoration:none;line-height:1.25;font-size:.9375rem}
.calendar b{font-size:.8125rem;font-weight:400}
.calendar em{font-size:.75rem}
.calendar a>span{font-weight:600}.calendar .empty a>span{font-weight:400}
.calendar a:hover,.chips a:hover{outline:2px solid var(--link);outline-offset:1px}
${[1, 2, 3, 4, 5].map((n) => `.level-${n}{background:var(--l${n});color:var(--${n < 4 ? 'low' : 'high'}-ink)}`).join('')}
.level-0{box-shadow:inset 0 0 0 1px var(--line);color:var(--soft)}
.missing{background:repeating-linear-gradient(135deg,var(--alarm) 0 6px,var(--card) 6px 9px);color:var(--alarm-ink);box-shadow:inset 0 0 0 1px var(--alarm-ink)}
.partial{box-shadow:inset 0 -4px 0 var(--bad)}
.scale span{white-space:nowrap}
.scale i{display:inline-block;width:1.1rem;height:.8rem;margin-right:2px;border-radius:2px;vertical-align:-.05rem}
.chips{display:grid;grid-template-columns:repeat(12,1fr);gap:.4rem;margin:0;padding:0;list-style:none;font-variant-numeric:tabular-nums}
.chips li{border-radius:6px}
.chips li>*{display:flex;flex-direction:column;min-height:100%;padding:.3rem .5rem;border-radius:6px;color:inherit;text-decoration:none;line-height:1.3;font-size:.9375rem}
.chips .long{grid-column:span 3}
.chips a{box-shadow:inset 0 0 0 1px var(--line)}
.chips b{color:var(--soft);font-size:.8125rem;font-weight:400}.chips .missing b{color:inherit}
.chips em{color:var(--soft);font-size:.8125rem}
`;

const HEAT = `
.heat{position:relative}
.heat table{border-collapse:separate;border-spacing:1px;table-layout:auto}
.heat th,.heat td{padding:0;border:0;height:1.15rem;font-size:.8125rem;vertical-align:middle}
.heat thead th{min-width:0;height:auto;padding:.3rem 0 .15rem;border:0;text-align:start}
.heat thead th span:not(.hidden){display:block;width:0;overflow:visible;white-space:nowrap}
.heat th:first-child{min-width:5.5rem;padding:0 .6rem 0 .9rem;font-size:.8125rem}
.heat td{min-width:.8rem;border-radius:2px}
.heat td:last-child,.heat th:last-child{padding:0 .9rem 0 .6rem;text-align:end}
.heat thead th:last-child span{display:inline;width:auto}
.heat tbody tr:last-child>*{padding-bottom:.3rem}
.heat .level-0{box-shadow:none;background:var(--track)}
`;

const NARROW = `
@media (min-width:56rem){
.full .barred{display:grid;grid-template-columns:19rem 1fr;gap:1rem;align-items:center}
.full .bars{margin-top:0;height:9px}
.full .bars+.bars{margin-top:3px}
.full .bars:not(:only-child){height:6px}
}
@media (max-width:56rem){.chips{grid-template-columns:repeat(6,1fr)}}
@media (max-width:40rem){
header,main,footer{padding-left:1rem;padding-right:1rem}
section{margin:.75rem -.25rem;padding:1.1rem 1rem 1.2rem}
.tiles,.tiles:has(>:last-child:nth-child(6)){grid-template-columns:repeat(2,1fr);margin:0 -.25rem}
.chips{grid-template-columns:repeat(4,1fr)}
.legend{flex-direction:column;flex-wrap:nowrap}
.legend li{display:flex;align-items:baseline}.legend i{flex:none}.legend span{margin-left:auto;padding-left:.75rem}
.full,.full caption,.full thead,.full tbody{display:block}
.full tr{display:grid;grid-template-columns:repeat(var(--columns),minmax(0,1fr));padding:.5rem 0;border-top:1px solid var(--grid)}
.full thead tr{border-top:0}.full tbody tr:first-child{border-top-color:var(--line)}
.full tr>*{padding:0;border:0;text-align:start}
.full tr>th:first-child{grid-row:1;grid-column:1/-1;width:auto}
.full tr>:not(:first-child){grid-row:2;padding-top:.3rem}
.full thead th:first-child{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.facts div{grid-template-columns:1fr}
.plot{padding-left:2.9rem;padding-right:.6rem}
.minor{display:none}
th,td{padding-left:.6rem}
.wide a{white-space:nowrap}
.wide th:first-child{min-width:6.5rem;max-width:9rem;white-space:normal}
.calendar{border-spacing:3px;margin:0 -3px;width:calc(100% + 6px)}
.calendar td>*{padding:.2rem .2rem .2rem .3rem;font-size:.75rem}
.calendar em{font-size:.6875rem}
.calendar b{font-size:.75rem}
.calendar .empty a>span{font-size:.6875rem}
}
@media (max-width:22rem){
.full thead th{font-size:.75rem}.swatch{margin-right:.2rem}
.calendar{border-spacing:2px}section{padding-left:.7rem;padding-right:.7rem}
.calendar td>*{padding:.1rem;font-size:.6875rem;letter-spacing:-.03em}
}
`;

/** Of both pages. */
export const STYLE = `:root{color-scheme:light dark;${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}${BASE}${FACTS}${TABLES}${CHARTS}${CALENDAR}${HEAT}${NARROW}`;
