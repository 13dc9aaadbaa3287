import com.cloudbees.groovy.cps.Continuable;
import com.cloudbees.groovy.cps.SerializableScript;
import groovy.lang.Closure;
import groovy.lang.MissingPropertyException;
import java.util.Map;
import org.codehaus.groovy.runtime.InvokerHelper;

/** The base class of a Jenkinsfile and of a library's global variables: unknown names are steps or globals. */
public abstract class PipelineScript extends SerializableScript {
    private static final long serialVersionUID = 1L;

    @Override
    public Object invokeMethod(String name, Object args) {
        Object[] all = args instanceof Object[] ? (Object[]) args : new Object[] {args};
        Object global = Program.current.globals.get(name);
        if (global != null) {
            return InvokerHelper.invokeMethod(global, "call", all);
        }
        Table.Entry entry = Program.current.table.find(name);
        if (entry.symbol) {
            return entry.described(all);
        }
        Closure<?> body = entry.block ? Table.bodyOf(name, all) : null;
        Map<String, Object> given = entry.named(all);
        if (body == null) {
            return Continuable.suspend(name, new Request(Request.Kind.STEP, name, given));
        }
        Request open = new Request(Request.Kind.OPEN, name, given);
        Request close = new Request(Request.Kind.CLOSE, name, given);
        return InvokerHelper.invokeMethod(Program.current.blocks, "run", new Object[] {open, close, body});
    }

    @Override
    public Object getProperty(String name) {
        switch (name) {
            case "env":
                return new Variables();
            case "currentBuild":
                return new CurrentBuild();
            case "scm":
                return Program.current.build.scm();
            case "params":
                return Program.current.build.params();
            default:
                Object global = Program.current.globals.get(name);
                if (global != null) {
                    return global;
                }
                throw new MissingPropertyException(name, getClass());
        }
    }
}
