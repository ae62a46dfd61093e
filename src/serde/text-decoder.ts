/**
 * Of a `decode` that reads UTF-8 text: the same, of the text.
 *
 * Registered by the serdes of text, asked for by stores, whose engine may have the text already: it
 * saves a buffer per row. It belongs to the function, not to the serde: who makes a serde by
 * spreading another, with a `decode` of his own, must get that one wherever a row is read.
 */

import type { Serde } from './serde.ts'

export type DecodeText<T> = (text: string) => T

const decoders = new WeakMap<Serde<unknown>['decode'], DecodeText<unknown>>()

/** @param decodeText  what `decode` makes of the UTF-8 of a well-formed text */
export const registerTextDecoder = <T>(
  decode: Serde<T>['decode'],
  decodeText: DecodeText<T>,
): void => {
  decoders.set(decode, decodeText)
}

export const textDecoderOf = <T>({ decode }: Serde<T>): DecodeText<T> | undefined =>
  decoders.get(decode) as DecodeText<T> | undefined
