import { describe, expect, it } from 'vitest'
import { drawReadmes } from '../../scripts/diagrams.ts'

describe('the committed diagrams', () => {
  it.each(drawReadmes())('$path shows the topology as it is', ({ present, drawn }) => {
    expect(present, 'run npm run diagrams').toBe(drawn)
  })
})
