/** What the routes of shipments say of themselves. */

import { Type } from 'typebox'
import type { RouteDoc } from '../../../../src/index.ts'
import { locationLengthMax, statusesToTell } from '../../shared/shipment-request.ts'
import { problemKinds } from '../problem-kinds.ts'
import { shipmentStatuses } from './order-schemas.ts'
import {
  count,
  decisionProperties,
  etagHeader,
  exactly,
  id,
  ifMatchOneHeader,
  ifNoneMatchHeader,
  keyHeader,
  locationHeader,
  oneOf,
  replayedHeader,
  rowAnswers,
  sourceHeaders,
  time,
} from './shared-schemas.ts'

const tag = 'shipments'
const params = { shipmentId: id() }
const {
  noSuchOrder,
  noSuchShipment,
  noSuchUpdate,
  notToShip,
  statusRefused,
  keyInFlight,
  keyReused,
  versionPassed,
  personalDataClosed,
} = problemKinds

const shipment = exactly(
  {
    shipmentId: id(),
    orderId: id(),
    version: Type.Integer({ minimum: 1 }),
    status: oneOf(shipmentStatuses),
    carrier: Type.String(),
    trackingNumber: Type.String(),
    estimatedDelivery: time,
    location: Type.Optional(Type.String()),
    shippingAddress: Type.Optional(Type.String()),
    shipmentNumber: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Where the order ships in parts.' }),
    ),
    items: Type.Optional(Type.Array(exactly({ productId: id(), quantity: count }))),
  },
  'Shipment',
)

const accepted = Type.Literal('accepted')

export const shipDoc: RouteDoc = {
  tag,
  summary: 'See that a confirmed order ships.',
  description:
    'An order asks for its one shipment itself: this is the same command again, and does nothing '
    + 'unless that one was lost.',
  headers: keyHeader,
  body: exactly({ orderId: id() }, 'ShipmentRequest'),
  answers: {
    200: {
      description: "The order's shipment.",
      body: shipment,
      headers: { ...etagHeader, ...locationHeader, ...replayedHeader, ...sourceHeaders },
    },
    202: {
      description: 'Durable, and not there within the time that was waited.',
      body: exactly({ shipmentId: id(), orderId: id(), status: accepted }),
      headers: locationHeader,
    },
  },
  problems: [noSuchOrder, notToShip, keyInFlight, keyReused, personalDataClosed],
}

export const getShipmentDoc: RouteDoc = {
  tag,
  summary: 'Look at a shipment.',
  params,
  headers: ifNoneMatchHeader,
  answers: rowAnswers(shipment),
  problems: [noSuchShipment, personalDataClosed],
}

export const updateShipmentDoc: RouteDoc = {
  tag,
  summary: 'Tell where a shipment is.',
  description: 'Waits for the decision; it is kept for 24 h and told again under the same key.',
  params,
  headers: { ...keyHeader, ...ifMatchOneHeader },
  body: exactly(
    {
      status: oneOf(statusesToTell),
      location: Type.Optional(Type.String({ minLength: 1, maxLength: locationLengthMax })),
    },
    'ShipmentStatusRequest',
  ),
  answers: {
    200: {
      description: 'Done.',
      body: shipment,
      headers: { ...etagHeader, ...replayedHeader, ...sourceHeaders },
    },
    202: {
      description: 'Durable, and not decided within the time that was waited.',
      body: exactly({ shipmentId: id(), updateId: id(), status: accepted }),
      headers: locationHeader,
    },
  },
  problems: [
    noSuchShipment,
    statusRefused,
    keyInFlight,
    versionPassed,
    keyReused,
    personalDataClosed,
  ],
  problemHeaders: {
    [statusRefused.status]: replayedHeader,
    [versionPassed.status]: replayedHeader,
  },
}

export const shipmentDecisionDoc: RouteDoc = {
  tag,
  summary: 'What became of an update of a shipment.',
  params: { ...params, updateId: id() },
  answers: {
    200: {
      description: 'Within 24 h.',
      body: exactly(decisionProperties, 'ShipmentDecision'),
      headers: sourceHeaders,
    },
  },
  problems: [noSuchShipment, noSuchUpdate],
}
