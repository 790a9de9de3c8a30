import { MetricUnit, Metrics } from '@aws-lambda-powertools/metrics';
import { isNew } from '../drop/window-summary.ts';
import type { ScheduleSummary } from './summary.ts';
import { parseInstant } from '../core/time.ts';

/** Writes embedded metrics as log lines. The alarms of the template watch them by service and cloud. */
export function publishMetrics(summary: ScheduleSummary, seconds: number): void {
  const metrics = new Metrics({
    namespace: 'StarCompactor',
    serviceName: 'star-compactor',
    defaultDimensions: { cloud: summary.cloud },
  });
  metrics.addMetric('WindowsPublished', MetricUnit.Count, summary.windows.filter(isNew).length);
  metrics.addMetric('WindowsLeft', MetricUnit.Count, summary.left.length);
  metrics.addMetric('Rows', MetricUnit.Count, summary.rows);
  metrics.addMetric('Bytes', MetricUnit.Bytes, summary.bytes);
  metrics.addMetric('DurationSeconds', MetricUnit.Seconds, seconds);
  if (summary.openEvents !== null) metrics.addMetric('OpenEvents', MetricUnit.Count, summary.openEvents);
  const watermark = summary.watermark === null ? undefined : parseInstant(summary.watermark);
  if (watermark !== undefined) {
    metrics.addMetric('WatermarkLagSeconds', MetricUnit.Seconds, Math.round(Date.now() / 1000 - watermark));
  }
  metrics.publishStoredMetrics();
}
