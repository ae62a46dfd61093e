import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  currencyExponent,
  formatMinor,
  isCurrency,
  parseMinor,
} from '../../topologies/shop/shared/money.ts'

describe('parseMinor', () => {
  it.each([
    ['29.33', 'USD', 2933],
    [29.33, 'USD', 2933],
    [0.1, 'EUR', 10],
    ['7', 'EUR', 700],
    ['7.5', 'EUR', 750],
    ['007.50', 'EUR', 750],
    ['1.500', 'EUR', 150],
    [1200, 'JPY', 1200],
    ['1200.00', 'JPY', 1200],
    ['1.234', 'BHD', 1234],
    ['0.0001', 'CLF', 1],
    ['-0.00', 'USD', 0],
    ['-3.01', 'USD', -301],
    ['90071992547409.91', 'USD', Number.MAX_SAFE_INTEGER],
  ])('reads %s %s exactly', (amount, currency, minor) => {
    expect(parseMinor(amount, currency)).toBe(minor)
    expect(Object.is(parseMinor(amount, currency), -0)).toBe(false)
  })

  it.each([
    ['29.335', 'USD', /not exact in USD/],
    [0.1 + 0.2, 'USD', /not exact/],
    ['0.5', 'JPY', /not exact in JPY, which has 0/],
    ['90071992547409.92', 'USD', /too large/],
    ['1e3', 'USD', /not a decimal/],
    [1e21, 'USD', /not a decimal/],
    [Number.NaN, 'USD', /not a decimal/],
    ['', 'USD', /not a decimal/],
    ['.5', 'USD', /not a decimal/],
    ['1,50', 'USD', /not a decimal/],
    [' 1', 'USD', /not a decimal/],
    ['+1', 'USD', /not a decimal/],
  ])('refuses %s %s', (amount, currency, message) => {
    expect(() => parseMinor(amount, currency)).toThrow(message)
  })

  it('is undone by formatMinor', () => {
    const currencies = fc.constantFrom('USD', 'JPY', 'KRW', 'BHD', 'TND', 'CLF')
    fc.assert(
      fc.property(fc.maxSafeInteger(), currencies, (minor, currency) => {
        expect(parseMinor(formatMinor(minor, currency), currency)).toBe(minor)
      }),
    )
  })
})

describe('currencies', () => {
  it.each([
    ['USD', 2],
    ['JPY', 0],
    ['KRW', 0],
    ['BHD', 3],
    ['KWD', 3],
    ['JOD', 3],
    ['OMR', 3],
    ['TND', 3],
  ])('%s has %d digits', (currency, digits) => {
    expect(isCurrency(currency)).toBe(true)
    expect(currencyExponent(currency)).toBe(digits)
  })

  it.each(['usd', 'US', 'ZZZ', '', 'constructor'])('knows no %j', (code) => {
    expect(isCurrency(code)).toBe(false)
  })

  it('formats with all digits', () => {
    expect([
      formatMinor(5, 'USD'),
      formatMinor(-120, 'USD'),
      formatMinor(7, 'JPY'),
      formatMinor(7, 'BHD'),
    ]).toEqual(['0.05', '-1.20', '7', '0.007'])
  })
})
