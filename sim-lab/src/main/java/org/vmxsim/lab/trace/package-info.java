/**
 * Memory traces of real programs: {@link org.vmxsim.lab.trace.TraceFiles} opens and converts them,
 * {@link org.vmxsim.lab.trace.MemoryTrace} reads them.
 */
package org.vmxsim.lab.trace;
