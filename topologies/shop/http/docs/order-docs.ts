/** What the routes of orders say of themselves. */

import { Type } from 'typebox'
import type { RouteDoc } from '../../../../src/index.ts'
import { problemKinds } from '../problem-kinds.ts'
import {
  etagHeader,
  id,
  ifMatchOneHeader,
  ifNoneMatchHeader,
  keyHeader,
  locationHeader,
  replayedHeader,
  sourceHeaders,
} from './shared-schemas.ts'
import {
  acceptedOrder,
  history,
  order,
  orderEvent,
  orderRequest,
  orderUpdate,
  receivedOrder,
} from './order-schemas.ts'

const tag = 'orders'
const params = { orderId: id() }
const {
  noSuchOrder,
  orderIdInUse,
  orderEnded,
  orderFrozen,
  keyInFlight,
  keyReused,
  versionPassed,
  personalDataClosed,
} = problemKinds

const accepted = {
  description: 'Durable; the stream decides.',
  body: acceptedOrder,
  headers: { ...locationHeader, ...replayedHeader },
}

export const placeOrderDoc: RouteDoc = {
  tag,
  summary: 'Place an order.',
  description:
    'The id is the one in the body, or follows from Idempotency-Key: a retry is the same order.',
  headers: keyHeader,
  body: orderRequest,
  answers: {
    200: {
      description: 'It ended within the time that was waited.',
      body: order,
      headers: { ...etagHeader, ...locationHeader, ...replayedHeader, ...sourceHeaders },
    },
    202: accepted,
  },
  problems: [orderIdInUse, keyInFlight, keyReused, personalDataClosed],
}

export const getOrderDoc: RouteDoc = {
  tag,
  summary: 'Look at an order.',
  params,
  headers: ifNoneMatchHeader,
  answers: {
    200: {
      description:
        'As of the last commit; only its id if it was accepted and is not processed yet.',
      body: Type.Union([order, receivedOrder]),
      headers: { ...etagHeader, ...locationHeader, ...sourceHeaders },
    },
    304: {
      description: 'The version is at hand.',
      headers: { ...etagHeader, ...locationHeader, ...sourceHeaders },
    },
  },
  problems: [noSuchOrder, personalDataClosed],
}

export const orderHistoryDoc: RouteDoc = {
  tag,
  summary: 'Every event of an order, in the order of their times.',
  params,
  answers: { 200: { description: 'What the topics still hold.', body: history } },
  problems: [noSuchOrder, personalDataClosed],
}

export const updateOrderDoc: RouteDoc = {
  tag,
  summary: 'Change the address or the notes of an order.',
  description: 'Lines and totals are frozen from the start; all is, once the goods are to be sent.',
  params,
  headers: { ...keyHeader, ...ifMatchOneHeader },
  body: orderUpdate,
  answers: {
    200: {
      description: 'Changed within the time that was waited.',
      body: order,
      headers: { ...etagHeader, ...locationHeader, ...replayedHeader, ...sourceHeaders },
    },
    202: { ...accepted, headers: locationHeader },
  },
  problems: [noSuchOrder, orderFrozen, keyInFlight, versionPassed, keyReused, personalDataClosed],
  problemHeaders: { [versionPassed.status]: replayedHeader },
}

export const orderStreamDoc: RouteDoc = {
  tag,
  summary: 'Follow an order as server-sent events, until it ends.',
  description:
    'Each event `order` is the order as of a commit, and its id the version. What changed at once, '
    + 'or while a client did not read, is one event. A client that comes back with Last-Event-ID '
    + 'goes on from there, at any replica. Comments keep the connection alive.',
  params,
  headers: {
    'Last-Event-ID': Type.String({
      pattern: '^[0-9]{1,15}$',
      description: 'The version that was seen last.',
    }),
  },
  answers: {
    200: {
      description: 'Ends with the order.',
      mediaType: 'text/event-stream',
      body: orderEvent,
    },
    204: { description: 'The order ended, and that was seen: do not come back.' },
  },
  problems: [noSuchOrder, personalDataClosed],
}

export const cancelOrderDoc: RouteDoc = {
  tag,
  summary: 'Cancel an order, or return what was delivered.',
  description:
    'Until the goods are on their way the order is cancelled and what was paid is refunded. '
    + 'Afterwards, and when it is completed, the same call is a return: `returnState` tells.',
  params,
  headers: ifMatchOneHeader,
  answers: { 202: { ...accepted, headers: { ...locationHeader, ...replayedHeader } } },
  problems: [noSuchOrder, orderEnded, versionPassed, personalDataClosed],
}
