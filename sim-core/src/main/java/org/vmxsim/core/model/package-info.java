/**
 * CPU models: which instructions, control-register bits and MSRs exist. Read {@link org.vmxsim.core.model.CpuModel},
 * then one of the resource files. A model advertises only what this machine executes, so x87, SSE and AVX bits are 0
 * and the performance-monitoring version is 0. Not modelled: model-specific MSRs beyond those listed in a file.
 */
package org.vmxsim.core.model;
