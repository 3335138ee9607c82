// Rates between two reports, for plugins of which the dataflow says nothing.

import { RateHistory } from "../data/rates";
import { numberOf, type Report, SECTIONS } from "../data/report";

export const reportRates = new RateHistory();
let seen: Report | undefined;

/** Takes a report in, once. Reports carry no time, so that of their arrival is used. */
export function useReportRates(report: Report | undefined): void {
  if (report === undefined || report === seen) return;
  seen = report;
  reportRates.add(Date.now() / 1000, counters(report));
}

function* counters(report: Report): Iterable<[string, number]> {
  for (const section of SECTIONS) {
    for (const entry of report[section]) {
      const count = numberOf(entry, "ProcessMessageCount");
      if (count !== undefined) yield [`${section} ${entry.name}`, count];
    }
  }
}
