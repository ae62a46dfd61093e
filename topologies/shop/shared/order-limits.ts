/** An order is one record and one row: more lines would outgrow both. */
export const orderLinesMax = 500
