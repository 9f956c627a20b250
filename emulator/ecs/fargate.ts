/** The sizes that Fargate has. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html */

/** Memory in MiB for a CPU value: [smallest, largest, step]; 256 CPU is 512, 1024 or 2048. */
const FARGATE: Readonly<Record<number, readonly [number, number, number]>> = {
  512: [1024, 4096, 1024],
  1024: [2048, 8192, 1024],
  2048: [4096, 16_384, 1024],
  4096: [8192, 30_720, 1024],
  8192: [16_384, 61_440, 4096],
  16_384: [32_768, 122_880, 8192],
};

/** Is there a size of this much CPU (units) and memory (MiB)? */
export const fargateHas = (cpu: number, memory: number): boolean => {
  if (cpu === 256) return [512, 1024, 2048].includes(memory);
  const row = FARGATE[cpu];
  return row !== undefined && memory >= row[0] && memory <= row[1] && (memory - row[0]) % row[2] === 0;
};

/** `256` or `.25 vCPU`; `512` or `0.5 GB`. */
export const units = (value: string): number => {
  const [, amount = '', unit = ''] = /^\s*(\d*\.?\d+)\s*(vcpu|gb)?\s*$/i.exec(value) ?? [];
  return amount === '' ? Number.NaN : Number(amount) * (unit === '' ? 1 : 1024);
};
