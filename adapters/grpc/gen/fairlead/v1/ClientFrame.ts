// Original file: proto/fairlead/v1/request_sink.proto

import type { Request as _fairlead_v1_Request, Request__Output as _fairlead_v1_Request__Output } from '../../fairlead/v1/Request.js';
import type { Credit as _fairlead_v1_Credit, Credit__Output as _fairlead_v1_Credit__Output } from '../../fairlead/v1/Credit.js';
import type { Abort as _fairlead_v1_Abort, Abort__Output as _fairlead_v1_Abort__Output } from '../../fairlead/v1/Abort.js';

export interface ClientFrame {
  'request'?: (_fairlead_v1_Request | null);
  'bodyPart'?: (Buffer | Uint8Array | string);
  'credit'?: (_fairlead_v1_Credit | null);
  'abort'?: (_fairlead_v1_Abort | null);
  'frame'?: "request"|"bodyPart"|"credit"|"abort";
}

export interface ClientFrame__Output {
  'request'?: (_fairlead_v1_Request__Output | null);
  'bodyPart'?: (Buffer);
  'credit'?: (_fairlead_v1_Credit__Output | null);
  'abort'?: (_fairlead_v1_Abort__Output | null);
  'frame'?: "request"|"bodyPart"|"credit"|"abort";
}
