/** If the sum of weights is higher, Envoy refuses a whole route table, listener or set of endpoints. */
const maxSum = 4_294_967_295;

/** Scales weights to a sum that Envoy accepts. If all are 0, all become 1. */
export function fitWeights(weights: readonly number[]): readonly number[] {
  if (weights.every((weight) => weight === 0)) return weights.map(() => 1);
  const sum = weights.reduce((a, b) => a + b, 0);
  return sum <= maxSum ? weights : weights.map((weight) => Math.floor((weight / sum) * maxSum));
}
