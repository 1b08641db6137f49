// Original file: proto/fairlead/v1/request_sink.proto

import type { Response as _fairlead_v1_Response, Response__Output as _fairlead_v1_Response__Output } from '../../fairlead/v1/Response.js';
import type { KeepAlive as _fairlead_v1_KeepAlive, KeepAlive__Output as _fairlead_v1_KeepAlive__Output } from '../../fairlead/v1/KeepAlive.js';
import type { End as _fairlead_v1_End, End__Output as _fairlead_v1_End__Output } from '../../fairlead/v1/End.js';
import type { Error as _fairlead_v1_Error, Error__Output as _fairlead_v1_Error__Output } from '../../fairlead/v1/Error.js';

export interface ServerFrame {
  'response'?: (_fairlead_v1_Response | null);
  'bodyPart'?: (Buffer | Uint8Array | string);
  'keepAlive'?: (_fairlead_v1_KeepAlive | null);
  'end'?: (_fairlead_v1_End | null);
  'error'?: (_fairlead_v1_Error | null);
  'frame'?: "response"|"bodyPart"|"keepAlive"|"end"|"error";
}

export interface ServerFrame__Output {
  'response'?: (_fairlead_v1_Response__Output | null);
  'bodyPart'?: (Buffer);
  'keepAlive'?: (_fairlead_v1_KeepAlive__Output | null);
  'end'?: (_fairlead_v1_End__Output | null);
  'error'?: (_fairlead_v1_Error__Output | null);
  'frame'?: "response"|"bodyPart"|"keepAlive"|"end"|"error";
}
