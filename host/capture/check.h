/* `portlight-capture --check`: tries what a share needs of this machine, without one. */
#pragma once

/*
 * Prints a line for each, a word and what there is to say of it: `pipewire` VERSION and `manager`
 * NAME (what is missing has no line), or `pipewire-error` WHY; `sandbox ok`, or `sandbox-error`
 * WHY; then, in the sandbox, `codec` NAME for each that encodes. Returns the exit status: 0 when
 * the sandbox and all codecs work, 1 otherwise. The process is good for nothing else afterwards.
 */
int check_run(void);
