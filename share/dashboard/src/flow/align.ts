// Third step of the layout: heights within each column, so that edges run straight.

export interface Wish {
  /** Where the node's middle would like to be. */
  at: number;
  weight: number;
  /** Height, with half of the distance to its neighbours on either side. */
  room: number;
}

/**
 * The places nearest to the wishes (least weighted squares) that keep the order and give every node its room.
 * Solved exactly by pooling neighbours that push each other.
 */
export function settle(wishes: readonly Wish[]): number[] {
  let offset = 0;
  const offsets = wishes.map(({ room }, index) => {
    offset += index === 0 ? 0 : (room + (wishes[index - 1]?.room ?? 0)) / 2;
    return offset;
  });
  // With the rooms taken out, places only have to be in order.
  const blocks: { mean: number; weight: number; size: number }[] = [];
  for (const [index, { at, weight }] of wishes.entries()) {
    let block = { mean: at - (offsets[index] ?? 0), weight, size: 1 };
    for (let last = blocks.at(-1); last && last.mean > block.mean; last = blocks.at(-1)) {
      blocks.pop();
      const sum = last.weight + block.weight;
      block = {
        mean: (last.mean * last.weight + block.mean * block.weight) / sum,
        weight: sum,
        size: last.size + block.size,
      };
    }
    blocks.push(block);
  }
  const places: number[] = [];
  for (const { mean, size } of blocks) {
    for (let i = 0; i < size; i++) places.push(mean + (offsets[places.length] ?? 0));
  }
  return places;
}
