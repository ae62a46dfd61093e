/** Views per page and minute, each minute once when it is over; and visits, as they go. */

import {
  count,
  json,
  minutes,
  nullable,
  seconds,
  session,
  stream,
  to,
  topic,
  topology,
  tumbling,
  utf8,
  windowed,
  windowedStore,
} from '../../src/index.ts'

const serdes = { key: utf8, value: json<number>() }
const counts = { key: windowed(utf8), value: nullable(json<number>()) }

export const views = topic('views', { key: utf8, value: utf8 })
export const perMinute = topic('views-per-minute', counts)
export const visits = topic('visits', counts)

export const minuteCounts = windowedStore('minute-counts', {
  ...serdes,
  windows: tumbling({ sizeMs: minutes(1), graceMs: seconds(10) }),
})
const visitCounts = windowedStore('visit-counts', {
  ...serdes,
  windows: session({ gapMs: minutes(5), graceMs: seconds(10) }),
})

export const pageViews = topology('page-views', () => {
  const views$ = stream(views)
  return [
    views$.pipe(count(minuteCounts, { emit: 'onClose' }), to(perMinute)),
    views$.pipe(count(visitCounts), to(visits)),
  ]
})
