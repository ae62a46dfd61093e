/**
 * Labels of figure rows: a kind and what it is broken down by, such as `order|EUR`.
 *
 * The last part may hold anything, since a label is cut into as many parts as its kind has.
 */

export type FigureKind = 'order' | 'delay' | 'payment' | 'shipment' | 'stock' | 'late'

/** What each kind is broken down by, in the order of the label. */
export const figureParts = {
  order: ['currency'],
  delay: ['method', 'currency'],
  payment: ['method', 'currency'],
  shipment: ['carrier'],
  stock: [],
  late: [],
} as const satisfies Readonly<Record<FigureKind, readonly string[]>>

/** Under which events are counted that came after their window was forgotten. */
export const lateKey: FigureKind = 'late'

export const figureKey = (kind: FigureKind, ...parts: readonly string[]): string =>
  parts.length === 0 ? kind : `${kind}|${parts.join('|')}`

/** @returns  the parts by name; undefined: the label is of another kind */
export const partsOfKey = (
  kind: FigureKind,
  key: string,
): Readonly<Record<string, string>> | undefined => {
  const names: readonly string[] = figureParts[kind]
  const [found, ...rest] = key.split('|')
  if (found !== kind || rest.length < names.length) return undefined
  return Object.fromEntries(
    names.map((name, index) => [
      name,
      index === names.length - 1 ? rest.slice(index).join('|') : rest[index]!,
    ]),
  )
}
