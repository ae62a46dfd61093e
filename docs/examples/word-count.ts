/** The word count every Kafka Streams user knows. */

import {
  count,
  flatMap,
  json,
  repartitionBy,
  repartitionTopic,
  stream,
  tableStore,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'

export const lines = topic('lines', { key: utf8, value: utf8 })
export const counts = topic('counts', { key: utf8, value: json<number>() })
export const wordCounts = tableStore('word-counts', { key: utf8, value: json<number>() })
const byWord = repartitionTopic('by-word', { key: utf8, value: json<1>() })

export const wordCount = topology('word-count', () => [
  stream(lines).pipe(
    flatMap(
      ({ value }) =>
        value
          .toLowerCase()
          .match(/\p{L}+/gu)
          ?.map(wordOf) ?? [],
    ),
    repartitionBy(byWord, ({ key }) => key),
    count(wordCounts),
    to(counts),
  ),
])

const wordOf = (word: string): readonly [string, 1] => [word, 1]
