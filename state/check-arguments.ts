/** Checks of what callers pass to an engine; bindings abort or misread where these throw. */

/** @throws {TypeError} not bytes */
export const checkKey = (key: unknown): void => {
  if (!(key instanceof Uint8Array)) throw new TypeError('a key must be a Uint8Array')
}

/** @throws {TypeError} not a whole number from 0, nor Infinity, nor absent */
export const checkLimit = (limit: number | undefined): void => {
  if (limit === undefined || limit === Infinity) return
  if (!Number.isInteger(limit) || limit < 0) {
    throw new TypeError(`scan: limit ${limit} is not a whole number from 0`)
  }
}

/** @throws {TypeError} not a number of rows */
export const checkRows = (max: number): void => {
  if (!(max >= 0)) throw new TypeError(`cursor: ${max} rows cannot be read`)
}
