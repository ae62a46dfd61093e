/**
 * Goal: what checks the outputs of W1 to W4 accepts a right run and no other. Method: a small run
 * of each in the driver is seen whole, then with one output lost, doubled, exchanged with another,
 * or changed.
 */

import { describe, expect, it } from 'vitest'
import type { WorkloadData } from '../../bench/load/workload-data.ts'
import { W1Data } from '../../bench/workloads/records/w1.ts'
import { W2Data } from '../../bench/workloads/records/w2.ts'
import { W3Data } from '../../bench/workloads/records/w3.ts'
import { W4Data } from '../../bench/workloads/records/w4.ts'
import { workloadTopologies } from '../../bench/workloads/workload-topologies.ts'
import { RawRecord } from '../../src/broker/port.ts'
import { bytes, topic } from '../../src/index.ts'
import { noHeaders } from '../../src/record.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

interface Output {
  readonly output: number
  readonly record: RawRecord
}

const [records, orders, partitions] = [60, 120, 1]
const firstMs = Date.now() - records
const dueMsOf = (index: number): number => firstMs + index

const made: Readonly<Record<string, () => WorkloadData>> = {
  w1: () => new W1Data(records, partitions, dueMsOf),
  w2: () => new W2Data({ records, partitions, keys: 7, dueMsOf }),
  w3: () => new W3Data(orders, partitions),
  w4: () => new W4Data(orders, partitions),
}

/** What the workload writes for the inputs of its data. */
const outputsOf = (data: WorkloadData): readonly Output[] => {
  const names = (kind: string, count: number): readonly string[] =>
    Array.from({ length: count }, (_, index) => `${kind}-${index}`)
  const [inputs, outputs] = [names('in', data.inputCount), names('out', data.outputCount)]
  const workload = workloadTopologies[data.name]!(inputs, outputs)
  const driver = new TopologyDriver(workload, { startMs: Date.now() })
  for (const { input, key, value, timestampMs } of data.inputs()) {
    driver.pipeBytes({ name: inputs[input]! }, key, value, { timestampMs })
  }
  return outputs.flatMap((name, output) =>
    driver.read(topic(name, { key: bytes, value: bytes })).map(({ key, value, timestampMs }) => {
      return { output, record: new RawRecord(0, timestampMs, key, value, noHeaders) }
    }),
  )
}

/** What is wrong with these outputs; empty if nothing is. */
const verdict = (
  name: string,
  change: (outputs: readonly Output[]) => readonly Output[],
): string => {
  const data = made[name]!()
  const outputs = change(outputsOf(data))
  try {
    for (const { output, record } of outputs) data.see(output, 0, record)
  } catch (error) {
    return (error as Error).message
  }
  return data.missing()
}

/** Digits of the first value that has them are others. */
const withOtherDigits = ({ output, record }: Output): Output => {
  const text = Buffer.from(record.value!).toString()
  const value = Buffer.from(text.replaceAll(/[1-9]/g, (digit) => String((Number(digit) % 9) + 1)))
  return { output, record: new RawRecord(0, record.timestampMs, record.key, value, noHeaders) }
}

describe.each(Object.keys(made))('the check of %s', (name) => {
  it('accepts a right run', () => {
    expect(verdict(name, (outputs) => outputs)).toBe('')
  })

  it('finds a lost, a doubled and a changed output', () => {
    expect(verdict(name, (outputs) => outputs.toSpliced(30, 1))).not.toBe('')
    expect(verdict(name, (outputs) => outputs.toSpliced(30, 0, outputs[30]!))).not.toBe('')
    expect(verdict(name, (outputs) => outputs.with(30, withOtherDigits(outputs[30]!)))).not.toBe('')
  })
})

it.each(['w1', 'w2'])('%s finds outputs in another order', (name) => {
  const exchanged = (outputs: readonly Output[]): readonly Output[] => {
    const keyOf = ({ record: { key } }: Output): string => Buffer.from(key!).toString()
    // of the same key, where there is one: only their order is promised
    const other = outputs.findIndex((output, at) => at > 0 && keyOf(output) === keyOf(outputs[0]!))
    const at = name === 'w1' ? 1 : other
    return outputs.with(0, outputs[at]!).with(at, outputs[0]!)
  }
  expect(verdict(name, exchanged)).toMatch(/w1: partition 0 has 1 after -1|w2: user-\d+ has/)
})

it.each(['w2', 'w3', 'w4'])('%s finds an output under another key', (name) => {
  const moved = (outputs: readonly Output[]): readonly Output[] => {
    const { output, record } = outputs[30]!
    const { timestampMs, value } = record
    const elsewhere = new RawRecord(0, timestampMs, Buffer.from('other'), value, noHeaders)
    return outputs.with(30, { output, record: elsewhere })
  }
  expect(verdict(name, moved)).toMatch(/an answer of \S+ has another key/)
})

it('w3 has each kind of order, w4 orders of each outcome', () => {
  const statusesOf = (name: string): ReadonlySet<unknown> => {
    const outcomes = outputsOf(made[name]!()).filter(({ output }) => output === 0)
    return new Set(
      outcomes.map(({ record }) => {
        const { status } = JSON.parse(Buffer.from(record.value!).toString()) as { status: string }
        return status
      }),
    )
  }
  expect(statusesOf('w3')).toEqual(new Set(['settled', 'short', 'expired']))
  expect(statusesOf('w4')).toEqual(new Set(['shipped', 'failed']))
})
