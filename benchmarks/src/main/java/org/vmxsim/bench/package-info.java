/** JMH benchmarks: each class asks one question; {@code docs/benchmarks.md} has the command and a baseline. */
package org.vmxsim.bench;
