/**
 * Which methods a path takes: fastify answers 404 where 405 is meant, and this tells them apart.
 *
 * Filled by `http-server.ts` from fastify's onRoute hook; O(routes), asked for failures only.
 */
export class RouteTable {
  readonly #routes: { readonly method: string; readonly pattern: RegExp }[] = []

  /** @param url  fastify's pattern, such as `/api/orders/:id` */
  add(method: string | readonly string[], url: string): void {
    const source = url
      .split(/(:\w+|\*)/)
      .map((part) => {
        if (part === '*') return '.*'
        return part.startsWith(':') ? '[^/]+' : RegExp.escape(part)
      })
      .join('')
    const pattern = new RegExp(`^${source}/?$`)
    for (const one of [method].flat()) this.#routes.push({ method: one, pattern })
  }

  /** Methods that some route with this path takes; none if the path is unknown. */
  methodsOf(url: string): readonly string[] {
    const path = url.split('?')[0]!
    const methods = this.#routes
      .filter(({ pattern }) => pattern.test(path))
      .map(({ method }) => method)
    return [...new Set(methods)].toSorted()
  }
}
