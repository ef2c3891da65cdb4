/**
 * Recorded references in place of decoded instructions: {@link org.vmxsim.core.replay.ReferenceStream} lets a processor
 * execute a memory trace through its own way to memory, with faults, exits and time as for a program.
 */
package org.vmxsim.core.replay;
