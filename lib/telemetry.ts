import { Logger } from '@aws-lambda-powertools/logger';
import { MetricUnit, Metrics } from '@aws-lambda-powertools/metrics';
import { InputError, type StarError, UnexpectedError, firstLine } from './errors.ts';
import { type ScheduleSummary, isNew } from './summary.ts';
import { parseInstant } from './time.ts';

export const logger = new Logger({ serviceName: 'star-compactor' });

/** Embedded metrics, written as log lines; the alarms in the template watch them by service and cloud. */
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

/** One line with the error's kind and message, and where it came from if nobody expected it. */
export function logFailure(to: Logger, error: StarError): void {
  const isExpected = !(error instanceof UnexpectedError);
  to.error(firstLine(error), {
    kind: error.name,
    retryMayHelp: !(error instanceof InputError),
    own: isExpected,
    ...(isExpected ? {} : { stack: error.stack }),
  });
}
