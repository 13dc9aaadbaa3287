import com.cloudbees.groovy.cps.Continuable;
import com.cloudbees.groovy.cps.Outcome;
import groovy.lang.Script;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.ObjectStreamClass;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** A Jenkinsfile and its libraries under Jenkins' CPS interpreter: run to the next step, put into bytes, resumed. */
final class Program {
    static Program current;
    private static final String MAIN = "WorkflowScript";
    private static final String BLOCKS = "Blocks";

    final Table table;
    final Build build;
    final Map<String, Object> globals = new HashMap<>();
    Object blocks;
    private final Compiled classes;
    private Continuable rest;

    private Program(Table table, Build build) throws IOException {
        this.table = table;
        this.build = build;
        Map<String, File> named = variables();
        named.put(BLOCKS, new File(build.harness, "Blocks.groovy"));
        named.put(MAIN, build.jenkinsfile());
        classes = Compiled.from(named);
    }

    /** The program at its first line. */
    static Program start(Table table, Build build) throws Exception {
        Program made = new Program(table, build);
        current = made;
        made.blocks = made.instance(BLOCKS);
        made.addGlobals();
        made.rest = new Continuable((Script) made.instance(MAIN));
        return made;
    }

    /** The program as `bytes` keeps it, of classes that are loaded anew, as after a restart. */
    static Program resume(Table table, Build build, byte[] bytes) throws Exception {
        Program made = new Program(table, build);
        current = made;
        try (ObjectInputStream in = made.reader(new ByteArrayInputStream(bytes))) {
            made.rest = (Continuable) in.readObject();
            made.blocks = in.readObject();
            @SuppressWarnings("unchecked")
            Map<String, Object> kept = (Map<String, Object>) in.readObject();
            made.globals.putAll(kept);
        }
        made.addGlobals();
        return made;
    }

    byte[] bytes() throws IOException {
        ByteArrayOutputStream into = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(into)) {
            out.writeObject(rest);
            out.writeObject(blocks);
            out.writeObject(new HashMap<>(globals));
        }
        return into.toByteArray();
    }

    /** Run to the next step, or to the end; `with` is what the last step returned or threw. */
    Outcome run(Outcome with) {
        return rest.run0(with, Continuable.categories);
    }

    boolean ended() {
        return !rest.isResumable();
    }

    private Object instance(String name) throws ReflectiveOperationException {
        return classes.loadClass(name).getDeclaredConstructor().newInstance();
    }

    /** The libraries' global variables; one that was loaded on the fly comes with the next step. */
    private void addGlobals() throws ReflectiveOperationException {
        for (String name : variables().keySet()) {
            if (!globals.containsKey(name)) {
                globals.put(name, instance(name));
            }
        }
    }

    private Map<String, File> variables() {
        Map<String, File> found = new TreeMap<>();
        for (File folder : build.libraries()) {
            File[] files = new File(folder, "vars").listFiles((dir, name) -> name.endsWith(".groovy"));
            for (File file : files == null ? new File[0] : files) {
                found.put(file.getName().replace(".groovy", ""), file);
            }
        }
        return found;
    }

    private ObjectInputStream reader(InputStream from) throws IOException {
        return new ObjectInputStream(from) {
            @Override
            protected Class<?> resolveClass(ObjectStreamClass what) throws IOException, ClassNotFoundException {
                try {
                    return Class.forName(what.getName(), false, classes);
                } catch (ClassNotFoundException absent) {
                    return super.resolveClass(what);
                }
            }
        };
    }
}
