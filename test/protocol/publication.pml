/*
 * How a drop is published: a model that Spin searches from end to end (`npm run test:protocol`).
 *
 * The store has objects with a conditional PUT ("absent", or the version that was seen), GET, and an unconditional
 * DELETE. A step of a run is one request. A comment names the function that the step stands for. Between two steps
 * anything may happen:
 *   - A run crashes. It does so before a write: a crash before a read leaves the same store.
 *   - A write is delayed. It lands at any later time, or never. Its sender sends it again or crashes. This covers a
 *     write that took effect while its answer was lost.
 *   - Other runs do their steps.
 * A version is an object's content, because the ETag of S3 is a hash of it. Two equal contents are one version.
 *
 * When all runs have ended or crashed, one scheduled run and one backfill of each window follow, one after the
 * other. They must publish everything that is due, unless a delayed write takes effect meanwhile.
 *
 * Bounds: windows 0 to WINDOWS - 1; two data keys a window, of which runs with an even id write the first only; at
 * most three runs at once, or two scheduled runs and two backfills; one crash a run; DELAYED delayed writes; ATTEMPTS
 * attempts to write data. searches.ts sets them by -D:
 *   SCHEDULES, BACKFILLS   how many runs there are
 *   BEGIN_1, BEGIN_2       the begins that the scheduled runs propose
 *   PAST_1, PAST_2         the windows of the backfills
 *   PAST_BEGIN             the begin that backfills propose
 *   LOST_TRACE             there is a claim and no trace.json
 *   MISTAKE_...            a seeded mistake, which must be found
 *   LIMIT_...              what the protocol does not promise, which must be found too
 *
 * Not in the model: the bytes of the source, retries of its reads, reports (a report is one more data object), the
 * index page, releases (a release is backfills with another trace.json), a trace.json that is deleted while runs are
 * at work.
 */

#ifndef DELAYED
#define DELAYED 0
#endif
#ifndef PAST_1
#define PAST_1 0
#endif
#ifndef PAST_2
#define PAST_2 PAST_1
#endif
#ifndef PAST_BEGIN
#define PAST_BEGIN 1
#endif
#ifndef BEGIN_1
#define BEGIN_1 0
#endif
#ifndef BEGIN_2
#define BEGIN_2 BEGIN_1
#endif
#define ATTEMPTS 3

/* The keys of the store. An object that is absent is 0. */
#define TRACE 0
#define CLAIM 1
#define CHECKPOINT 2
#define PAST_CLAIM(w) (3 + 4 * (w))
#define DATA(w, format) (4 + 4 * (w) + (format))
#define MANIFEST(w) (6 + 4 * (w))
#define KEYS (3 + 4 * WINDOWS)
int object[KEYS];

/* trace.json: its begin, plus one because 0 is absent. */
#define BEGIN_OF(trace) ((trace) - 1)

/* A data object: which run wrote it, in which attempt. Each run has its own masks, so no two runs write the same. */
#ifdef LIMIT_EQUAL_BYTES
#define BYTES_OF(run, attempt) (4 + ((run) & 1))
#else
#define BYTES_OF(run, attempt) (((run) << 2) | (attempt))
#endif

/*
 * A manifest: the bytes of both data objects (0: not listed), `previous` (the first data object of the manifest
 * before, in place of its sha256; 0: null), whether it is a scheduled one.
 */
#define MANIFEST_OF(first, second, previous, forward) ((first) | ((second) << 5) | ((previous) << 10) | ((forward) << 15))
#define FIRST(manifest) ((manifest) & 31)
#define SECOND(manifest) (((manifest) >> 5) & 31)
#define PREVIOUS(manifest) (((manifest) >> 10) & 31)
#define IS_FORWARD(manifest) (((manifest) >> 15) & 1)

/* The checkpoint: the end of the newest window and, in place of its manifest's sha256, its first data object. */
#define CHECKPOINT_OF(end, newest) ((end) | ((newest) << 3))
#define END(checkpoint) ((checkpoint) & 7)
#define NEWEST(checkpoint) ((checkpoint) >> 3)

/* A claim: run, window, the keys tried (two bits a window), the decided manifest (0: undecided). */
/* The next checkpoint follows from the manifest. */
#ifdef MISTAKE_ONE_ID_FOR_TWO_RUNS
#define ID_OF(run) 1
#else
#define ID_OF(run) (run)
#endif
#define CLAIM_OF(run, w, tried, manifest) (ID_OF(run) | ((w) << 3) | ((tried) << 6) | ((manifest) << 14))
#define WINDOW(claim) (((claim) >> 3) & 7)
#define TRIED(claim) (((claim) >> 6) & 255)
#define DECIDED(claim) ((claim) >> 14)
#define BIT(w, format) (1 << (2 * (w) + (format)))

#define WRITES_SECOND(run) ((run) & 1)

byte running; /* runs that have neither ended nor crashed */
bool alone; /* the last runs are at work, one at a time */
bool disturbed; /* a delayed write took effect while they were */
bool late[WINDOWS]; /* a run wrote a data object after another had decided the drop without it */

/* The promises. Spin prints the name of the one that is broken. */
hidden byte begin_never_changes, one_drop_of_a_window, nothing_decided_is_lost, checkpoint_never_goes_back;
hidden byte what_is_listed_is_there, chain_is_unbroken, schedule_from_begin_on, backfill_before_begin;
hidden byte checkpoint_is_published, nothing_unlisted_is_left, no_refusal, refused_runs_write_nothing;
hidden byte alone_it_publishes, every_run_ends, manifest_is_the_decided_one, checkpoint_is_the_one_before;
hidden byte w;
hidden int old;

/* What must hold of every single write, before it takes effect. */
inline checkWrite(key, value) {
  old = object[key];
#ifdef LOST_TRACE
  refused_runs_write_nothing = false;
  assert(refused_runs_write_nothing);
#endif
  if
  :: key == TRACE ->
    begin_never_changes = (old == 0 || old == value);
    assert(begin_never_changes)
  :: key == CHECKPOINT ->
    checkpoint_never_goes_back = (END(old) < END(value) || old == value);
    assert(checkpoint_never_goes_back)
  :: key == CLAIM ->
    nothing_decided_is_lost = (DECIDED(old) == 0 || old == value
      || (object[MANIFEST(WINDOW(old))] == DECIDED(old) && END(object[CHECKPOINT]) > WINDOW(old)));
    assert(nothing_decided_is_lost);
    one_drop_of_a_window = (DECIDED(value) == 0 || object[MANIFEST(WINDOW(value))] == 0
      || object[MANIFEST(WINDOW(value))] == DECIDED(value));
    assert(one_drop_of_a_window)
  :: key > CHECKPOINT && (key - 3) % 4 == 0 ->
    nothing_decided_is_lost = (DECIDED(old) == 0 || old == value);
    assert(nothing_decided_is_lost)
  :: key > CHECKPOINT && (key - 3) % 4 == 3 ->
    one_drop_of_a_window = (old == 0 || old == value);
    assert(one_drop_of_a_window)
  :: key > CHECKPOINT && (key - 3) % 4 == 2 && value != 0 ->
    w = (key - 3) / 4;
    if
    :: (object[MANIFEST(w)] != 0 || DECIDED(object[PAST_CLAIM(w)]) != 0
      || (DECIDED(object[CLAIM]) != 0 && WINDOW(object[CLAIM]) == w)) -> late[w] = true
    :: else
    fi
  :: else
  fi
}

/* What must hold in every state. */
inline checkStore() {
  w = 0;
  do
  :: w < WINDOWS ->
    if
    :: object[MANIFEST(w)] != 0 ->
      what_is_listed_is_there = (object[DATA(w, 0)] == FIRST(object[MANIFEST(w)])
        && (SECOND(object[MANIFEST(w)]) == 0 || object[DATA(w, 1)] == SECOND(object[MANIFEST(w)])));
      assert(what_is_listed_is_there);
      if
      :: IS_FORWARD(object[MANIFEST(w)]) ->
        schedule_from_begin_on = (w >= BEGIN_OF(object[TRACE]));
        assert(schedule_from_begin_on);
        chain_is_unbroken = (w == BEGIN_OF(object[TRACE])
          -> PREVIOUS(object[MANIFEST(w)]) == 0
          : PREVIOUS(object[MANIFEST(w)]) != 0
            && PREVIOUS(object[MANIFEST(w)]) == FIRST(object[MANIFEST(w - 1)])
            && IS_FORWARD(object[MANIFEST(w - 1)]));
        assert(chain_is_unbroken)
      :: else ->
        backfill_before_begin = (w < BEGIN_OF(object[TRACE]));
        assert(backfill_before_begin)
      fi
    :: else ->
      checkpoint_is_published = (w < BEGIN_OF(object[TRACE]) || w >= END(object[CHECKPOINT]));
      assert(checkpoint_is_published)
    fi;
    w++
  :: else -> break
  od;
  checkpoint_is_published = (object[CHECKPOINT] == 0
    || FIRST(object[MANIFEST(END(object[CHECKPOINT]) - 1)]) == NEWEST(object[CHECKPOINT]));
  assert(checkpoint_is_published)
}

/* A write takes effect. */
inline land(key, value) {
  d_step {
    checkWrite(key, value);
    object[key] = value;
    checkStore();
    w = 0;
    old = 0
  }
}

/* Writes on their way, each of which lands once, or never. */
#define ANY (-1)
byte sent;
#if DELAYED
byte wayKey[DELAYED];
int waySeen[DELAYED];
int wayValue[DELAYED];
bool wayUsed[DELAYED];

inline arrive(i) {
  atomic {
    wayUsed[i] ->
    wayUsed[i] = false;
    if
    :: waySeen[i] == ANY || object[wayKey[i]] == waySeen[i] ->
      printf("the delayed %d lands in %d\n", wayValue[i], wayKey[i]);
      disturbed = (disturbed || (alone && object[wayKey[i]] != wayValue[i]));
      land(wayKey[i], wayValue[i])
    :: else
    fi;
    wayKey[i] = 0;
    waySeen[i] = 0;
    wayValue[i] = 0
  }
}

active proctype network() {
end:
  do
  :: arrive(0)
#if DELAYED > 1
  :: arrive(1)
#endif
#if DELAYED > 2
  :: arrive(2)
#endif
  od
}
#define MAY_BE_DELAYED (!last && sent < DELAYED)
#define SEND(key, seen, value) \
  wayUsed[sent] = true; wayKey[sent] = key; waySeen[sent] = seen; wayValue[sent] = value; sent++
#else
#define MAY_BE_DELAYED false
#define SEND(key, seen, value) skip
#endif

/* A conditional PUT, an unconditional one (ANY), or a DELETE (ANY, of value 0). */
inline put(key, seen, value) {
  do
  :: atomic {
      seen == ANY || object[key] == seen ->
      printf("run %d puts %d into %d\n", run_, value, key);
      land(key, value);
      ok = true;
      break
    }
  :: atomic {
      seen != ANY && object[key] != seen ->
      printf("run %d is refused: %d into %d\n", run_, value, key);
      ok = false;
      break
    }
  :: atomic {
      MAY_BE_DELAYED ->
      printf("run %d sends %d into %d, which is delayed\n", run_, value, key);
      SEND(key, seen, value)
    }
  :: atomic {
      !last ->
      printf("run %d crashes\n", run_);
      goto crashed
    }
  od
}

/* A conditional PUT that reads back when it is refused: equal content is its own (writeText in lib/store/s3/bucket.ts). */
inline swap(key, seen, value) {
  put(key, seen, value);
  if
  :: !ok -> atomic { ok = (object[key] == value) }
  :: else
  fi
}

/* One run: the handler of the schedule, or a backfill of one window. */
proctype worker(byte run_; bool scheduled; byte window; byte begin; bool last) {
  int claim; /* as it was seen, then as this run holds it, then as it is decided */
  int checkpoint; /* that the window continues */
  int found;
  byte first; /* the versions that the data keys have before they are written */
  byte second;
  byte attempt;
  byte rounds;
  bool ok;

  /* readTrace and createTrace (lib/drop/trace.ts) */
#ifdef MISTAKE_BEGIN_MOVED
  put(TRACE, ANY, begin + 1);
#endif
  atomic { found = object[TRACE] };
  if
  :: found == 0 ->
    /* Is there a claim? */
    atomic {
      ok = (object[CLAIM] != 0);
      w = 0;
      do
      :: w < WINDOWS -> ok = (ok || object[PAST_CLAIM(w)] != 0); w++
      :: else -> break
      od;
      w = 0
    };
    if
    :: ok ->
#ifndef MISTAKE_TRACE_LOOKED_FOR_ONCE
      /* Another run may have made both since. */
      atomic { found = object[TRACE] };
#endif
      if
      :: found == 0 ->
        /* trace.json is lost: the run is refused. */
#ifndef LOST_TRACE
        no_refusal = false;
        assert(no_refusal);
#endif
        goto done
      :: else
      fi
    :: else ->
      swap(TRACE, 0, begin + 1);
      atomic { found = object[TRACE] }
    fi
  :: else
  fi;
  begin = BEGIN_OF(found);
  found = 0;

next:
  atomic {
    claim = 0; checkpoint = 0; found = 0; first = 0; second = 0; attempt = 0; ok = false;
    rounds++;
    every_run_ends = (rounds <= WINDOWS + 1);
    assert(every_run_ends)
  };
  if
  :: scheduled ->
    /* catchUp (lib/schedule/run-schedule.ts): the claim before the checkpoint */
#ifdef MISTAKE_CHECKPOINT_READ_FIRST
    atomic { checkpoint = object[CHECKPOINT] };
    atomic { claim = object[CLAIM] };
#else
    atomic { claim = object[CLAIM] }; /* readClaim (lib/drop/claim.ts) */
    atomic { checkpoint = object[CHECKPOINT] }; /* readCheckpoint (lib/drop/checkpoint.ts) */
#endif
    if
    :: DECIDED(claim) != 0 && WINDOW(claim) + 1 > END(checkpoint) -> goto publish
    :: else
    fi;
    window = (checkpoint == 0 -> begin : END(checkpoint));
    if
    :: window >= WINDOWS -> goto done
    :: else
    fi
  :: else ->
    /* the range must end at or before begin (resolveRequest, lib/backfill/request.ts) */
#ifndef MISTAKE_BACKFILL_BEYOND_BEGIN
    if
    :: window >= begin -> goto done
    :: else
    fi;
#endif
    atomic { found = object[MANIFEST(window)] }; /* planBackfill (lib/backfill/plan.ts) */
    if
    :: found != 0 -> goto done
    :: else
    fi;
    atomic { claim = object[PAST_CLAIM(window)] }; /* readClaim */
    if
    :: DECIDED(claim) != 0 -> goto publish
    :: else
    fi
  fi;

#define KEY (scheduled -> CLAIM : PAST_CLAIM(window))
#define OWN_KEYS (BIT(window, 0) | (WRITES_SECOND(run_) -> BIT(window, 1) : 0))
/* The tried keys of a decided window are settled. All others are carried over, also those of another window. */
#ifdef MISTAKE_TRIED_FORGOTTEN
#define CARRIED(seen) 0
#else
#define CARRIED(seen) (TRIED(seen) & (DECIDED(seen) != 0 -> 255 - BIT(WINDOW(seen), 0) - BIT(WINDOW(seen), 1) : 255))
#endif

  /* takeClaim (lib/drop/claim.ts) */
  atomic { found = claim; claim = CLAIM_OF(run_, window, CARRIED(claim) | OWN_KEYS, 0) };
#ifdef MISTAKE_CLAIM_TAKEN_UNCONDITIONALLY
  put(KEY, ANY, claim);
#else
  swap(KEY, found, claim);
#endif
  found = 0;
  if
  :: !ok -> goto superseded
  :: else
  fi;

#define OWN_BYTES BYTES_OF(run_, attempt)
#define OWN_MANIFEST MANIFEST_OF(OWN_BYTES, (WRITES_SECOND(run_) -> OWN_BYTES : 0), (scheduled -> NEWEST(checkpoint) : 0), scheduled)

write:
  /* writeDrop (lib/drop/write-drop.ts): the version that each data key has now; then it reads the source */
  atomic {
    first = object[DATA(window, 0)];
    printf("run %d notes %d of %d\n", run_, first, DATA(window, 0))
  };
  if
  :: WRITES_SECOND(run_) ->
    atomic {
      second = object[DATA(window, 1)];
      printf("run %d notes %d of %d\n", run_, second, DATA(window, 1))
    }
  :: else
  fi;
#ifndef MISTAKE_HELD_ONLY_CHECKED_AFTER_WRITING
  /* assertHeld (lib/drop/claim.ts): after the versions were noted, before an object becomes visible */
  atomic { ok = (object[KEY] == claim); printf("run %d looks whether it holds the claim: %d\n", run_, ok) };
  if
  :: !ok -> goto superseded
  :: else
  fi;
#endif
#ifdef MISTAKE_MANIFEST_BEFORE_DATA
  found = OWN_MANIFEST;
  swap(MANIFEST(window), 0, found);
  found = 0;
#endif
#ifdef MISTAKE_DATA_UNCONDITIONAL
  put(DATA(window, 0), ANY, OWN_BYTES);
#else
  put(DATA(window, 0), first, OWN_BYTES); /* finish (lib/store/s3/upload.ts) */
#endif
  first = 0;
  if
  :: ok && WRITES_SECOND(run_) -> put(DATA(window, 1), second, OWN_BYTES)
  :: else
  fi;
  second = 0;
  if
  :: !ok ->
    /* writeWithRetries (lib/drop/publish-window.ts): a run that lost its claim wrote the object, or a delayed write did */
    atomic { ok = (object[KEY] == claim) };
    attempt++;
    if
    :: ok && attempt < ATTEMPTS -> goto write
    :: else -> goto superseded
    fi
  :: else
  fi;
#ifdef MISTAKE_HELD_ONLY_CHECKED_AFTER_WRITING
  atomic { ok = (object[KEY] == claim) };
  if
  :: !ok -> goto superseded
  :: else
  fi;
#endif
#ifdef MISTAKE_MANIFEST_UNCONDITIONAL
  found = OWN_MANIFEST;
  put(MANIFEST(window), ANY, found);
  found = 0;
#endif

  /* decideClaim (lib/drop/claim.ts): the commit point. It fails where the claim is no longer held. */
  atomic { found = claim; claim = CLAIM_OF(run_, window, TRIED(claim), OWN_MANIFEST); attempt = 0; checkpoint = 0 };
#ifdef MISTAKE_COMMIT_UNCONDITIONAL
  put(KEY, ANY, claim);
#else
  swap(KEY, found, claim);
#endif
  found = 0;
  if
  :: !ok -> goto superseded
  :: else
  fi;

publish:
  /* finishWindow (lib/drop/finish.ts): of this run's claim, or of one that another run decided */
  atomic { checkpoint = 0; window = WINDOW(claim) };
#ifdef MISTAKE_CHECKPOINT_BEFORE_MANIFEST
  if
  :: scheduled ->
    atomic { checkpoint = object[CHECKPOINT] };
    swap(CHECKPOINT, checkpoint, CHECKPOINT_OF(window + 1, FIRST(DECIDED(claim))))
  :: else
  fi;
#endif
  /* Delete what was tried in this window and is not listed. The first data object is always listed. */
  if
  :: (TRIED(claim) & BIT(window, 1)) && SECOND(DECIDED(claim)) == 0 -> put(DATA(window, 1), ANY, 0)
  :: else
  fi;
  swap(MANIFEST(window), 0, DECIDED(claim));
  manifest_is_the_decided_one = ok;
  assert(manifest_is_the_decided_one);
  if
  :: scheduled ->
    /* advanceCheckpoint (lib/drop/checkpoint.ts) */
    do
    :: atomic { checkpoint = object[CHECKPOINT] };
      if
      :: END(checkpoint) > window -> break
      :: else
      fi;
      checkpoint_is_the_one_before = (window == (checkpoint == 0 -> begin : END(checkpoint)));
      assert(checkpoint_is_the_one_before);
      swap(CHECKPOINT, checkpoint, CHECKPOINT_OF(window + 1, FIRST(DECIDED(claim))));
      if
      :: ok -> break
      :: else
      fi
    od;
#ifdef MISTAKE_CLAIM_REMOVED
    put(CLAIM, ANY, 0);
#endif
    goto next
  :: else
#ifdef MISTAKE_CLAIM_REMOVED
    ; put(PAST_CLAIM(window), ANY, 0)
#endif
  fi;

superseded:
#ifdef MISTAKE_TAKEN_AGAIN_UNDER_THE_SAME_ID
  if
  :: rounds < WINDOWS + 1 -> goto next
  :: else
  fi;
#endif
crashed:
done:
  atomic {
    claim = 0; checkpoint = 0; found = 0; first = 0; second = 0; attempt = 0; rounds = 0; ok = false;
    window = 0; begin = 0;
    running--
  }
}

inline runAlone(run_, scheduled, window, begin) {
  atomic { running++; run worker(run_, scheduled, window, begin, true) };
  running == 0
}

inline publishedAlone(window) {
  alone_it_publishes = (disturbed || object[MANIFEST(window)] != 0);
  assert(alone_it_publishes)
}

init {
  byte i;
  atomic {
    running = SCHEDULES + BACKFILLS;
#ifdef LOST_TRACE
    object[DATA(1, 0)] = BYTES_OF(7, 0);
    object[MANIFEST(1)] = MANIFEST_OF(BYTES_OF(7, 0), 0, 0, 1);
    object[CLAIM] = CLAIM_OF(7, 1, BIT(1, 0), object[MANIFEST(1)]);
    object[CHECKPOINT] = CHECKPOINT_OF(2, BYTES_OF(7, 0));
#endif
#if SCHEDULES > 0
    run worker(1, true, 0, BEGIN_1, false);
#endif
#if SCHEDULES > 1
    run worker(2, true, 0, BEGIN_2, false);
#endif
#if SCHEDULES > 2
    run worker(7, true, 0, BEGIN_1, false);
#endif
#if BACKFILLS > 0
    run worker(3, false, PAST_1, PAST_BEGIN, false);
#endif
#if BACKFILLS > 1
    run worker(4, false, PAST_2, PAST_BEGIN, false);
#endif
#if BACKFILLS > 2
    run worker(1, false, PAST_1, PAST_BEGIN, false);
#endif
  };
  running == 0;
#ifndef LOST_TRACE
  alone = true;
#if SCHEDULES > 0
  runAlone(5, true, 0, BEGIN_1);
  atomic {
    i = BEGIN_OF(object[TRACE]);
    do
    :: i < WINDOWS -> publishedAlone(i); i++
    :: else -> break
    od;
    i = 0
  };
#endif
#if BACKFILLS > 0
  runAlone(6, false, PAST_1, PAST_BEGIN);
  if
  :: PAST_1 < BEGIN_OF(object[TRACE]) -> publishedAlone(PAST_1)
  :: else
  fi;
#endif
#if BACKFILLS > 1 && PAST_2 != PAST_1
  runAlone(7, false, PAST_2, PAST_BEGIN);
  if
  :: PAST_2 < BEGIN_OF(object[TRACE]) -> publishedAlone(PAST_2)
  :: else
  fi;
#endif
  alone = false;
  atomic {
    i = 0;
    do
    :: i < WINDOWS ->
      nothing_unlisted_is_left = (object[MANIFEST(i)] == 0 || SECOND(object[MANIFEST(i)]) != 0
        || object[DATA(i, 1)] == 0
#ifndef LIMIT_LATE_DATA
        || late[i]
#endif
        );
      assert(nothing_unlisted_is_left);
      i++
    :: else -> break
    od;
    i = 0
  }
#endif
}
