import { avroSerde, filter, json, stream, to, topic, topology, utf8 } from '../../src/index.ts'

export interface Parcel {
  readonly parcelId: string
  readonly grams: number
  readonly packedAt: string
  readonly note?: string
}

const parcelSchema = {
  type: 'record',
  name: 'Parcel',
  namespace: 'example',
  fields: [
    { name: 'parcelId', type: 'string' },
    { name: 'grams', type: 'int' },
    { name: 'packedAt', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'note', type: ['null', 'string'], default: null },
  ],
}

export const parcels = topic('parcels', {
  key: utf8,
  value: avroSerde<Parcel>({ schemas: [parcelSchema], timestamps: 'iso' }),
})

export const heavy = topic('heavy-parcels', { key: utf8, value: json<Parcel>() })

export const sorting = topology('sorting', () => [
  stream(parcels).pipe(
    filter(({ value }) => value.grams > 10_000),
    to(heavy),
  ),
])
