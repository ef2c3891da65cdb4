package org.vmxsim.cli;

import picocli.CommandLine.IVersionProvider;

/** The version line, from the manifest of the jar that is run. */
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        String version = Version.class.getPackage().getImplementationVersion();
        String java = System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version");
        return new String[] {"vmxsim " + (version == null ? "(from classes)" : version), java};
    }
}
