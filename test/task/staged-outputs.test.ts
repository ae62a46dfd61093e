/** Goal: outputs keep their order over partitions, and each names the input behind it. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { noHeaders } from '../../src/record.ts'
import { StagedOutputs } from '../../src/task/staged-outputs.ts'

const output = fc.record({
  topic: fc.constantFrom('a', 'b'),
  partition: fc.integer({ min: 0, max: 2 }),
  input: fc.integer({ min: -1, max: 1 }),
  offset: fc.integer({ min: 0, max: 2 ** 50 }),
})
type Output = typeof output extends fc.Arbitrary<infer T> ? T : never

const scopes = fc.array(
  fc.record({ outputs: fc.array(output, { maxLength: 4 }), fails: fc.boolean() }),
  { maxLength: 25 },
)

test('order, partitions and causes are those of the records that were kept', () => {
  fc.assert(
    fc.property(scopes, (records) => {
      let staged = new StagedOutputs()
      for (let generation = 0; generation < 2; generation++) {
        const kept: Output[] = []
        for (const { outputs, fails } of records) {
          for (const { topic, partition, input, offset } of outputs) {
            const value = `${topic}${partition} ${input}@${offset}`
            const content = { timestampMs: 1, key: null, value, headers: noHeaders }
            staged.stage({ topic, partition, maxMessageBytes: 300, ...content }, input, offset)
          }
          if (fails) staged.undo()
          else {
            staged.keep()
            kept.push(...outputs)
          }
        }
        expect(staged.count).toBe(kept.length)
        expect([...staged.inOrder()].map(({ value }) => Buffer.from(value!).toString())).toEqual(
          kept.map(
            ({ topic, partition, input, offset }) => `${topic}${partition} ${input}@${offset}`,
          ),
        )
        for (const partition of staged.partitions) {
          const ofPartition = kept.filter(
            (one) => one.topic === partition.topic && one.partition === partition.partition,
          )
          expect(partition.records.recordCount).toBe(ofPartition.length)
          ofPartition.forEach(({ input, offset }, index) => {
            const cause = staged.causeOf(partition, index)
            expect(cause).toEqual(input < 0 ? undefined : { input, offset })
          })
        }
        const next = staged.successor()
        staged.release() // its memory is that of the next one
        staged = next
      }
    }),
  )
})
