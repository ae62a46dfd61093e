/**
 * Money is a whole number of minor units and an ISO-4217 code; never a float.
 *
 * Called at the borders only (HTTP, load files, summaries). Inside the shop there are minor units.
 * Every amount is a safe integer: 90 trillion units of a two-digit currency.
 */

/** Digits after the point where they are not two (ISO 4217, list one). */
const exponents: ReadonlyMap<string, number> = new Map(
  Object.entries({
    BIF: 0,
    CLP: 0,
    DJF: 0,
    GNF: 0,
    ISK: 0,
    JPY: 0,
    KMF: 0,
    KRW: 0,
    PYG: 0,
    RWF: 0,
    UGX: 0,
    UYI: 0,
    VND: 0,
    VUV: 0,
    XAF: 0,
    XOF: 0,
    XPF: 0,
    BHD: 3,
    IQD: 3,
    JOD: 3,
    KWD: 3,
    LYD: 3,
    OMR: 3,
    TND: 3,
    CLF: 4,
    UYW: 4,
  }),
)

/** Codes of ISO 4217. */
export const currencies: ReadonlySet<string> = new Set([
  ...Intl.supportedValuesOf('currency'),
  ...exponents.keys(),
])

export const isCurrency = (code: string): boolean => currencies.has(code)

/** @returns digits after the decimal point, 0 to 4 */
export const currencyExponent = (currency: string): number => exponents.get(currency) ?? 2

export const decimalPattern = /^(-?)([0-9]+)(?:\.([0-9]+))?$/

/**
 * Reads a decimal amount exactly.
 *
 * A number counts as the shortest decimal that denotes it (29.33 is 29.33). More digits than the
 * currency has are refused unless they are zeros: nothing is ever rounded.
 *
 * @throws {RangeError} no decimal, inexact in the currency, or beyond a safe integer: tell the
 *                      caller, the message says which
 */
export const parseMinor = (amount: string | number, currency: string): number => {
  const match = decimalPattern.exec(String(amount))
  if (match === null) throw new RangeError(`${JSON.stringify(amount)} is not a decimal amount`)
  const [, sign = '', whole = '', fraction = ''] = match
  const exponent = currencyExponent(currency)
  if (/[^0]/.test(fraction.slice(exponent))) {
    throw new RangeError(`${amount} is not exact in ${currency}, which has ${exponent} decimals`)
  }
  const minor = Number(`${sign}${whole}${fraction.slice(0, exponent).padEnd(exponent, '0')}`)
  if (!Number.isSafeInteger(minor)) throw new RangeError(`${amount} ${currency} is too large`)
  return minor === 0 ? 0 : minor
}

/** The inverse of `parseMinor`: a decimal string with all digits of the currency. */
export const formatMinor = (amountMinor: number, currency: string): string => {
  const exponent = currencyExponent(currency)
  const digits = String(Math.abs(amountMinor)).padStart(exponent + 1, '0')
  const sign = amountMinor < 0 ? '-' : ''
  if (exponent === 0) return sign + digits
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`
}
