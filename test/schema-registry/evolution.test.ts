/** Goal: what stands between two versions is told in words, and judged by Avro's own rules. */

import { describe, expect, it } from 'vitest'
import { evolutionProblems, readProblem } from '../../src/schema-registry/compatibility.ts'
import type { CompatibilityLevel } from '../../src/schema-registry/port.ts'
import { schemaChanges } from '../../src/schema-registry/schema-changes.ts'

const record = (...fields: readonly object[]): string =>
  JSON.stringify({ type: 'record', name: 'R', fields })

const id = { name: 'id', type: 'string' }
const enumOf = (...symbols: readonly string[]) => ({
  name: 'kind',
  type: { type: 'enum', name: 'Kind', symbols },
})

describe('reading', () => {
  it.each<[string, string, string, boolean]>([
    [
      'a field more, with a default',
      record(id, { ...id, name: 'b', default: '' }),
      record(id),
      true,
    ],
    ['a field more, without one', record(id, { ...id, name: 'b' }), record(id), false],
    ['a field less', record(id), record(id, { ...id, name: 'b' }), true],
    ['a symbol more', record(enumOf('A', 'B')), record(enumOf('A')), true],
    ['a symbol less', record(enumOf('A')), record(enumOf('A', 'B')), false],
    ['int as long', record({ name: 'n', type: 'long' }), record({ name: 'n', type: 'int' }), true],
    ['long as int', record({ name: 'n', type: 'int' }), record({ name: 'n', type: 'long' }), false],
    [
      'a value as an optional one',
      record({ name: 'n', type: ['null', 'string'], default: null }),
      record({ name: 'n', type: 'string' }),
      true,
    ],
    [
      'an optional value as one',
      record({ name: 'n', type: 'string' }),
      record({ name: 'n', type: ['null', 'string'], default: null }),
      false,
    ],
  ])('%s', (_what, reader, writer, isPossible) => {
    expect(readProblem(reader, writer) === undefined).toBe(isPossible)
  })
})

describe('levels', () => {
  const versions = [
    { version: 1, schema: record(id, { name: 'n', type: 'int' }) },
    { version: 2, schema: record(id) },
  ]
  const next = record(id, { name: 'n', type: 'string', default: '' })
  it.each<[CompatibilityLevel, readonly RegExp[]]>([
    ['NONE', []],
    ['BACKWARD', []],
    ['BACKWARD_TRANSITIVE', [/it cannot read version 1/]],
    ['FORWARD', []],
    ['FORWARD_TRANSITIVE', [/version 1 cannot read it/]],
    ['FULL_TRANSITIVE', [/it cannot read version 1/, /version 1 cannot read it/]],
  ])('%s', (level, expected) => {
    const problems = evolutionProblems(next, versions, level)
    expect(problems).toHaveLength(expected.length)
    for (const [index, pattern] of expected.entries()) expect(problems[index]).toMatch(pattern)
  })
})

describe('changes', () => {
  it('are told field by field', () => {
    const at = { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } }
    const inner = (...fields: readonly object[]) => ({
      name: 'data',
      type: { type: 'array', items: { type: 'record', name: 'D', fields } },
    })
    const earlier = record(id, enumOf('A'), inner(id, { name: 'gone', type: 'int' }))
    const later = record(id, enumOf('A', 'B'), inner(id, at))
    expect(schemaChanges(earlier, later)).toEqual([
      '- data[].gone: int',
      '+ data[].at: timestamp-millis',
      '~ kind: Kind(A) → Kind(A, B)',
    ])
    expect(schemaChanges(later, later)).toEqual([])
  })
})
