/* Calls to the host of an emulator or debugger (Arm's "Semihosting for AArch32 and AArch64"). */
#ifndef TINYML_SEMIHOSTING_H
#define TINYML_SEMIHOSTING_H

/* Ends the emulator with this exit status.  Returns only where nobody answers the call. */
void port_semihosting_exit(int status);

#endif
