// Original file: proto/fairlead/v1/request_sink.proto

export const Priority = {
  PRIORITY_UNSPECIFIED: 'PRIORITY_UNSPECIFIED',
  PRIORITY_BULK: 'PRIORITY_BULK',
  PRIORITY_STANDARD: 'PRIORITY_STANDARD',
  PRIORITY_EXPEDITE: 'PRIORITY_EXPEDITE',
} as const;

export type Priority =
  | 'PRIORITY_UNSPECIFIED'
  | 0
  | 'PRIORITY_BULK'
  | 1
  | 'PRIORITY_STANDARD'
  | 2
  | 'PRIORITY_EXPEDITE'
  | 3

export type Priority__Output = typeof Priority[keyof typeof Priority]
