/** The sums that each row of figures tells, as the API names them: for views and documents. */

export const orderSums = ['units', 'orderedMinor', 'revenueMinor', 'refundedMinor'] as const

/** Of charges, however they are broken down. */
export const outcomeSums = ['completed', 'failed', 'unknown'] as const

export const paymentSums = [
  ...outcomeSums,
  'capturedMinor',
  'refunds',
  'failedRefunds',
  'refundedMinor',
] as const

export const delaySums = ['awaited', 'paid', 'paidLate'] as const

export const shipmentSums = ['created', 'shipped', 'delivered', 'failedAttempts'] as const
