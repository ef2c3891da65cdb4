/** JMH benchmarks: each class asks one question; {@code docs/benchmarks.md} has the baseline. */
package org.vmxsim.benchmarks;
