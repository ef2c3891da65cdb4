/**
 * What decides a run: {@link org.vmxsim.lab.scenario.Scenario}, read by {@link org.vmxsim.lab.scenario.ScenarioFile}.
 */
package org.vmxsim.lab.scenario;
