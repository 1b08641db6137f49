export { createLogger, type LoggerOptions } from "./create-logger.js";
export { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from "./log-level.js";
export { winstonObserver } from "./winston-observer.js";
