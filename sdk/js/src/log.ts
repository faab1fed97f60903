// A log to the console, silent but for warnings until somebody asks for more.
import { LogLevel } from './choices.js';

let shown: LogLevel = LogLevel.Warn;

/** For all sessions of the page. */
export function setLogLevel(level: LogLevel): void {
  shown = level;
}

export interface Logger {
  log(...args: unknown[]): void;
  debug(...args: unknown[]): void;
  info(...args: unknown[]): void;
  warn(...args: unknown[]): void;
  error(...args: unknown[]): void;
}

export function getLogger(prefix: string): Logger {
  const at =
    (level: LogLevel, method: 'debug' | 'info' | 'warn' | 'error') =>
    (...args: unknown[]) => {
      if (level <= shown) console[method](`[atm0s ${prefix}]`, ...args);
    };
  return {
    log: at(LogLevel.Info, 'info'),
    debug: at(LogLevel.Debug, 'debug'),
    info: at(LogLevel.Info, 'info'),
    warn: at(LogLevel.Warn, 'warn'),
    error: at(LogLevel.Error, 'error'),
  };
}
