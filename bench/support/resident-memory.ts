import { readFileSync } from 'node:fs';

const PAGE = 4096;

/** Resident memory of a process in MB, read from outside so that a busy one answers too; `NaN` where there is no /proc. */
export function residentMegabytes(pid: number | undefined): number {
  try {
    const [, pages] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
    return (Number(pages) * PAGE) / 1e6;
  } catch {
    return Number.NaN;
  }
}
