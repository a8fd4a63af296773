/** What of wrangler's output a developer wants to read: everything but what it says on every healthy day. */

const NOISE: readonly RegExp[] = [
  /^\s*$/,
  /^\s*⛅️ wrangler|^─+$|update available/,
  /^\[custom build\] Running/,
  /^Using (secrets|vars) defined in/,
  /^Your Worker has access|^Binding\s+Resource|^env\.\w+ /,
  /^🪵 {2}Logs were written/,
  /Starting local server|Parsed \d+ valid header rule|Ready on http/,
  /^\[wrangler:info\] [A-Z]+ \S+ [123]\d\d /,
];

/** Wrangler looks for its own location on the network and reports, with a stack, that there is none. */
const CF_WARNING = /Unable to fetch the `Request\.cf` object/;
const STACK_LINE = /^(Error: |\s+at |\s+\[?(cause|errno|code|syscall|hostname)\b|\s*[}\]])/;

/** Returns a filter for consecutive lines: true if the line is worth showing. */
export function worthShowing(): (line: string) => boolean {
  let in_cf_warning = false;
  return (line) => {
    in_cf_warning = CF_WARNING.test(line) || (in_cf_warning && STACK_LINE.test(line));
    return !in_cf_warning && !NOISE.some((noise) => noise.test(line));
  };
}
