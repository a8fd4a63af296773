/** Which GPUs, and how many, stand behind a name: "NVIDIA A100-SXM4-80GB", "p4d.24xlarge", "a2-highgpu-4g". */

export interface GpusIn {
  readonly type: string;
  readonly count: number;
}

const TYPE = /(?<![a-z])([BH]200|[AHV]100|A10G|L40S|L4|T4)(?![a-z0-9])/i;

/** Name of a machine, type, GPUs in it; 0 where the size tells, as in g5.12xlarge. */
const MACHINES: ReadonlyArray<readonly [RegExp, string, number]> = [
  [/\bp5en?\.|\ba3-ultra/i, "H200", 8],
  [/\bp5\.|\ba3-(?:high|mega)gpu-8g|ND96is\w*_H100/i, "H100", 8],
  [/\bp4de?\.|ND96\w*_A100/i, "A100", 8],
  [/\bg6e\./i, "L40S", 0],
  [/\bg6\.|\bg2-standard/i, "L4", 0],
  [/\bg5\./i, "A10G", 0],
  [/\bg4dn\./i, "T4", 0],
];

const SIZES: ReadonlyArray<readonly [RegExp, number]> = [
  [/\.48xl/i, 8],
  [/\.(?:12|24)xl/i, 4],
];

export function gpusIn(name: string): GpusIn | undefined {
  const machine = MACHINES.find(([named]) => named.test(name));
  if (machine !== undefined)
    return { type: machine[1], count: machine[2] || (SIZES.find(([size]) => size.test(name))?.[1] ?? 1) };
  const google = /\ba2-\w+-(\d{1,2})g/i.exec(name);
  if (google !== null) return { type: "A100", count: Number(google[1]) };
  const type = TYPE.exec(name)?.[1]?.toUpperCase();
  return type === undefined ? undefined : { type, count: 1 };
}
