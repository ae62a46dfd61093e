/**
 * A record as Kafka's console consumer prints it: `[partition][headers][key][value]`, with tabs.
 *
 * 1. Key and value are printed by Kafka's `Bytes`, which escapes all but plain ASCII as `\xNN`, so
 * bytes survive and a line is a record. 2. A header without a value is an empty text here.
 */

const asBytes = 'org.apache.kafka.common.serialization.BytesDeserializer'

/** The formatter's properties that make such lines. */
export const consoleProperties: Readonly<Record<string, string>> = {
  'print.partition': 'true',
  'print.headers': 'true',
  'print.key': 'true',
  'key.deserializer': asBytes,
  'value.deserializer': asBytes,
}

export interface ConsoleRecord {
  readonly partition: number
  readonly headers: ReadonlyMap<string, string>
  readonly key: string
  readonly value: Buffer
}

/** @returns  undefined if the line is no record, such as the consumer's count at its end */
export const consoleRecord = (line: string): ConsoleRecord | undefined => {
  const [partition, headers, key, value, ...more] = line.split('\t')
  const number = /^Partition:(\d+)$/.exec(partition ?? '')?.[1]
  if (number === undefined || value === undefined || more.length > 0) return undefined
  return {
    partition: Number(number),
    headers: headersOf(headers!),
    key: unescaped(key!).toString('utf8'),
    value: unescaped(value),
  }
}

/** `name:value,name:value`; no header of the shop has a comma in it. */
const headersOf = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text
      .split(',')
      .filter((part) => part.includes(':'))
      .map((part) => {
        const colon = part.indexOf(':')
        return [part.slice(0, colon), part.slice(colon + 1)] as const
      }),
  )

const unescaped = (text: string): Buffer =>
  Buffer.from(
    text.replace(/\\x([0-9A-F]{2})/g, (_all, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    ),
    'latin1',
  )
