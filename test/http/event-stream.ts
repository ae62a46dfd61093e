/** A client of server-sent events over fetch: events as they come, and the raw text. */

export interface SentEvent {
  readonly id: string
  readonly event: string
  readonly data: Record<string, unknown>
}

/** Complete events out of a response; ends with it, throws if it breaks off. */
export async function* sentEvents(response: Response): AsyncGenerator<SentEvent> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const bytes of response.body!) {
    text += decoder.decode(bytes, { stream: true })
    const blocks = text.split('\n\n')
    text = blocks.pop()!
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => {
          const [, name, value] = /^(\w*): (.*)$/.exec(line)!
          return [name!, value!] as const
        }),
      )
      const data = fields.get('data')
      if (data === undefined) continue // a comment, or the time of coming back
      yield {
        id: fields.get('id')!,
        event: fields.get('event')!,
        data: JSON.parse(data) as Record<string, unknown>,
      }
    }
  }
}
