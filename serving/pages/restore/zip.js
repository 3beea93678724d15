// Puts files into a ZIP as they are: pictures are packed already.

import { crc32 } from "./crc.js";

const [LOCAL, CENTRAL, END] = [0x04034b50, 0x02014b50, 0x06054b50];
const VERSION = 20; // of the format that is needed
const UTF8 = 0x0800; // names are

/**
 * @param {{name: string, content: Blob}[]} files with different names, below 4 GiB together
 * @returns {Promise<Blob>}
 */
export async function zip(files) {
  const [parts, directory] = [[], []];
  const [time, date] = stamp(new Date());
  let offset = 0;
  for (const { name, content } of files) {
    const label = new TextEncoder().encode(name);
    const crc = crc32(new Uint8Array(await content.arrayBuffer()));
    const facts = [[2, VERSION], [2, UTF8], [2, 0], [2, time], [2, date], [4, crc], [4, content.size], [4, content.size], [2, label.length], [2, 0]];
    const head = numbers([[4, LOCAL], ...facts]);
    parts.push(head, label, content);
    directory.push(numbers([[4, CENTRAL], [2, VERSION], ...facts, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]), label);
    offset += head.length + label.length + content.size;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = numbers([[4, END], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, size], [4, offset], [2, 0]]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

function numbers(fields) { // [bytes, value], the lowest byte first
  return Uint8Array.from(fields.flatMap(([width, value]) => Array.from({ length: width }, (_, byte) => (value >>> (8 * byte)) & 255)));
}

function stamp(now) { // time and date as MS-DOS kept them
  const time = (now.getHours() << 11) | (now.getMinutes() << 5) | (now.getSeconds() >> 1);
  return [time, ((now.getFullYear() - 1980) << 9) | ((now.getMonth() + 1) << 5) | now.getDate()];
}
