import groovy.lang.GroovyObjectSupport;
import java.io.Serializable;

/** The global `env`: what is set at this point of the program, or null. */
public final class Variables extends GroovyObjectSupport implements Serializable {
    private static final long serialVersionUID = 1L;

    @Override
    public Object getProperty(String name) {
        return Program.current.build.variables().get(name);
    }
}
