/** Plain RxJS steps between ours: a filter, a map, and a fragment of both with a name. */

import { filter, map, type OperatorFunction, pipe } from 'rxjs'
import {
  count,
  json,
  stream,
  type StreamRecord,
  tableStore,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'

interface Reading {
  readonly celsius: number
}

export const readings = topic('readings', { key: utf8, value: json<Reading>() })
export const alarms = topic('alarms', { key: utf8, value: utf8 })
export const alarmCounts = tableStore('alarm-counts', { key: utf8, value: json<number>() })

type Alarms = OperatorFunction<StreamRecord<string, Reading>, StreamRecord<string, string>>

/** RxJS alone: it may be made anywhere and tested with marbles. */
const tooHot = (limit: number): Alarms =>
  pipe(
    filter(({ value }) => value.celsius > limit),
    map((record) => record.withValue(`${record.value.celsius} °C`)),
  )

export const thermometer = topology('thermometer', () => {
  const alarms$ = stream(readings).pipe(tooHot(90))
  return [alarms$.pipe(to(alarms)), alarms$.pipe(count(alarmCounts))]
})
