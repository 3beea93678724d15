// A long row of small numbers, kept as stretches of equal ones: masks and labels of large photos in little memory.

export class Runs {
  #lengths = [];
  #values = [];

  /** @param {Uint8Array} numbers @returns {Runs} */
  static of(numbers) {
    const runs = new Runs();
    runs.append(numbers);
    return runs;
  }

  /** @param {Uint8Array} numbers that follow those that are there */
  append(numbers) {
    const [lengths, values] = [this.#lengths, this.#values];
    for (let from = 0; from < numbers.length; ) {
      const value = numbers[from];
      let to = from + 1;
      while (to < numbers.length && numbers[to] === value) to++;
      if (values.at(-1) === value) lengths[lengths.length - 1] += to - from;
      else { lengths.push(to - from); values.push(value); }
      from = to;
    }
  }

  /** @returns {(target: Uint8Array) => void} fills its target with the next numbers, from the first on */
  reader() {
    let [run, used] = [0, 0];
    return (target) => {
      for (let filled = 0; filled < target.length; ) {
        const count = Math.min(this.#lengths[run] - used, target.length - filled);
        target.fill(this.#values[run], filled, filled + count);
        filled += count;
        used += count;
        if (used === this.#lengths[run]) { run++; used = 0; }
      }
    };
  }
}
