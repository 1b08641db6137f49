import type { WireMessage } from "../../driver/driver.js";
import { FRAME_HEADER, numberIn } from "./frames.js";

/** What a Resume says. */
export interface ResumeOf {
  /** Higher for each new one of its call. */
  readonly number: number;
  /** Where to answer from now on. */
  readonly inbox: string;
  /** The highest sequence that has come whole. */
  readonly received: number;
  readonly consumed: number;
  readonly grantedUpTo: number;
  /** Which run of the request has answered so far, if that was delivered again. */
  readonly run: string | undefined;
}

export function resumeHeaders(resume: ResumeOf): Record<string, string> {
  const headers: Record<string, string> = {
    [FRAME_HEADER.resume]: String(resume.number),
    [FRAME_HEADER.inbox]: resume.inbox,
    [FRAME_HEADER.received]: String(resume.received),
    [FRAME_HEADER.consumed]: String(resume.consumed),
    [FRAME_HEADER.grantedUpTo]: String(resume.grantedUpTo),
  };
  if (resume.run !== undefined) headers[FRAME_HEADER.run] = resume.run;
  return headers;
}

/** Undefined for what is no Resume. */
export function readResume({ headers }: WireMessage): ResumeOf | undefined {
  const number = numberIn(headers, FRAME_HEADER.resume, 1);
  const inbox = headers[FRAME_HEADER.inbox];
  const received = numberIn(headers, FRAME_HEADER.received);
  if (number === undefined || inbox === undefined || inbox === "" || received === undefined) return undefined;
  const consumed = numberIn(headers, FRAME_HEADER.consumed) ?? 0;
  const grantedUpTo = numberIn(headers, FRAME_HEADER.grantedUpTo) ?? 0;
  return { number, inbox, received, consumed, grantedUpTo, run: headers[FRAME_HEADER.run] };
}
