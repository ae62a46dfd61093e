/** Goal: every record error has a class, and an application's own names win over the table. */

import { expect, it } from 'vitest'
import { recordErrorCodes, type RecordErrorCode } from '../../src/errors/codes.ts'
import {
  classOfRecordCode,
  type FailureClasses,
  failureClassNames,
  failureClassOf,
} from '../../src/errors/failure-class.ts'
import { ShopError, shopFailureClasses } from '../../topologies/shop/shared/shop-error.ts'

class CodedError extends Error {
  override readonly name = 'CodedError'
  readonly code = 'LEDGER_LOCKED'
}

const processing = 'STREAMS_PROCESSING'

it('every code has a class, with or without a cause', () => {
  for (const code of recordErrorCodes) {
    expect(failureClassNames).toContain(classOfRecordCode(code))
    expect(failureClassOf({ code, cause: undefined }, {})).toBe(classOfRecordCode(code))
  }
  expect(classOfRecordCode('OF_ANOTHER_TOOL')).toBe('poison')
  expect(classOfRecordCode('toString')).toBe('poison')
})

const cases: readonly (readonly [RecordErrorCode, unknown, FailureClasses, string])[] = [
  [processing, new Error('x'), {}, 'transient'],
  [processing, 'a text', {}, 'transient'],
  [processing, new TypeError('x'), {}, 'poison'],
  [processing, new TypeError('x'), { TypeError: 'transient' }, 'transient'],
  [processing, new CodedError('x'), {}, 'transient'],
  [processing, new CodedError('x'), { CodedError: 'poison' }, 'poison'],
  [
    processing,
    new CodedError('x'),
    { CodedError: 'poison', LEDGER_LOCKED: 'business' },
    'business',
  ],
  [processing, new Error('x'), { STREAMS_PROCESSING: 'business' }, 'business'],
  ['STREAMS_DESERIALIZATION', new CodedError('x'), { LEDGER_LOCKED: 'transient' }, 'transient'],
  ['STREAMS_DESERIALIZATION', new ShopError('BAD_MESSAGE', 'x'), shopFailureClasses, 'poison'],
  [processing, new ShopError('ORDER_UNKNOWN', 'x'), shopFailureClasses, 'business'],
]

it.each(cases)('%s of %s by %j is %s', (code, cause, own, expected) => {
  expect(failureClassOf({ code, cause }, own)).toBe(expected)
})
