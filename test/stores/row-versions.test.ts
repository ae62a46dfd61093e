/** Which versions rows are of, while migrations come, are cut and come again. */

import { expect, test } from 'vitest'
import { versionRowKey } from '../../state/key-layout.ts'
import { RowVersions, withRowVersions } from '../../src/stores/row-versions.ts'
import { json, keyValueStore, utf8 } from '../../src/index.ts'
import { OpenStore } from './open-store.ts'

const versionsOf = (versions: RowVersions): readonly number[] =>
  ['a', 'f', 'g', 'z'].map((slot) => versions.of(slot))

test('no row of versions: all are of version 1', () => {
  expect(versionsOf(RowVersions.decode(undefined))).toEqual([1, 1, 1, 1])
})

test('a migration that was cut twice, by two versions, and goes on', () => {
  const cut = RowVersions.all(1).migrated('f', 2)
  expect(versionsOf(cut)).toEqual([2, 2, 1, 1])
  expect([cut.migratedTo(2), cut.migratedTo(3)]).toEqual(['f', undefined])
  const further = RowVersions.decode(cut.migrated('g', 2).encode())
  expect(versionsOf(further)).toEqual([2, 2, 2, 1])
  const third = further.migrated('a', 3)
  expect(versionsOf(third)).toEqual([3, 2, 2, 1])
  expect([third.oldest, third.newest, third.migratedTo(3)]).toEqual([1, 3, 'a'])
  expect(versionsOf(third.migrated('y', 3))).toEqual([3, 3, 3, 1])
  expect(RowVersions.all(3).migratedTo(3)).toBeUndefined()
})

test('keys of any bytes are kept', () => {
  const slot = '\0\u00ff"'
  expect(RowVersions.decode(RowVersions.all(1).migrated(slot, 2).encode()).of(slot)).toBe(2)
})

test('the row is read as what it is, as bytes and as text', () => {
  const { codec } = keyValueStore('s', { key: utf8, value: json<unknown>(), version: 2 })
  const { decode, decodeText } = withRowVersions(codec)
  const encoded = RowVersions.all(1).migrated('f', 2).encode()
  const text = Buffer.from(encoded).toString()
  expect(decodeText!(text, versionRowKey)).toEqual(decode(encoded, versionRowKey))
  expect(decodeText!(text, 'a')).toEqual(JSON.parse(text))
})

test('the row is none of the rows of the store, forwards, backwards and limited', async () => {
  const store = keyValueStore('s', { key: utf8, value: json<number>(), version: 2 })
  const open = new OpenStore({ ...store, codec: withRowVersions(store.codec) })
  const found = (): unknown =>
    [{}, { reverse: true }, { limit: 1 }, { limit: 1, reverse: true }].map((options) =>
      [...open.slots.scan(options)].map(([slot]) => slot),
    )
  open.opened.put('k', 1)
  open.slots.putVersions(RowVersions.all(2))
  expect(found()).toEqual([['k'], ['k'], ['k'], ['k']])
  await open.restart()
  expect(found()).toEqual([['k'], ['k'], ['k'], ['k']])
  expect([...open.reader.range()]).toEqual([['k', 1]])
  expect((open.slots.get(versionRowKey) as RowVersions).newest).toBe(2)
  expect(() => open.opened.put(versionRowKey, 1)).toThrow('reserved')
})
