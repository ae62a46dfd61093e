/**
 * Goal: what the kernel relies on in RxJS 7.8, so that an upgrade fails here, not in production.
 * Method: RxJS alone, none of our code.
 */

import { expect, test } from 'vitest'
import { map, Observable, type Observer, Subject, Subscription } from 'rxjs'

class Input extends Subscription implements Observer<number> {
  readonly errors: unknown[] = []
  next(): void {
    throw new Error('boom')
  }

  error(cause: unknown): void {
    this.errors.push(cause)
    throw cause
  }

  complete(): void {}
}

test('an observer that is a Subscription is the subscriber itself, unwrapped', () => {
  const input = new Input()
  let seen: unknown
  new Observable<number>((subscriber) => {
    seen = subscriber
  }).subscribe(input)
  expect(seen).toBe(input)
})

test('its throw reaches whoever called next', () => {
  const source = new Subject<number>()
  source.subscribe(new Input())
  expect(() => source.next(1)).toThrow('boom')
})

test('map turns a throw below it into error(), and lets the rethrow pass', () => {
  const source = new Subject<number>()
  const input = new Input()
  source.pipe(map((value) => value)).subscribe(input)
  expect(() => source.next(1)).toThrow('boom')
  expect(input.errors).toHaveLength(1)
})

test('subscribing runs up the chain synchronously and in order', () => {
  const order: string[] = []
  const source = new Observable<number>(() => {
    order.push('source')
  })
  source.pipe(map((value) => value)).subscribe()
  order.push('after')
  expect(order).toEqual(['source', 'after'])
})

test('an error thrown while subscribing becomes a notification', () => {
  const input = new Input()
  input.error = (cause) => {
    input.errors.push(cause)
  }
  new Observable<number>(() => {
    throw new Error('at build')
  }).subscribe(input)
  expect(input.errors).toHaveLength(1)
})
