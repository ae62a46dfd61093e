/**
 * What the generated customers buy: a small music shop.
 *
 * `initialStock` is what whoever starts the load puts on the shelves; a product with 0 is asked for
 * on purpose and never there.
 */

export interface CatalogueProduct {
  readonly productId: string
  /** Decimal amount in `currency`. */
  readonly price: string
  readonly initialStock: number
}

export interface Catalogue {
  readonly currency: string
  readonly products: readonly CatalogueProduct[]
}

const titles = 40

/** 40 records at 7.49 to 26.99 dollars, and one that sold out long ago. */
export const musicCatalogue: Catalogue = {
  currency: 'USD',
  products: [
    ...Array.from({ length: titles }, (_, index) => ({
      productId: `record-${String(index + 1).padStart(2, '0')}`,
      price: `${7 + (index % 20)}.${index % 2 === 0 ? '49' : '99'}`,
      initialStock: 100_000,
    })),
    { productId: 'record-sold-out', price: '99.00', initialStock: 0 },
  ],
}
