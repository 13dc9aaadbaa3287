import groovy.json.JsonOutput;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.codehaus.groovy.ast.ASTNode;
import org.codehaus.groovy.ast.CodeVisitorSupport;
import org.codehaus.groovy.ast.ImportNode;
import org.codehaus.groovy.ast.MethodNode;
import org.codehaus.groovy.ast.ModuleNode;
import org.codehaus.groovy.ast.expr.BinaryExpression;
import org.codehaus.groovy.ast.expr.ConstructorCallExpression;
import org.codehaus.groovy.ast.expr.MapEntryExpression;
import org.codehaus.groovy.ast.expr.MapExpression;
import org.codehaus.groovy.ast.expr.MethodCallExpression;
import org.codehaus.groovy.ast.expr.NamedArgumentListExpression;
import org.codehaus.groovy.ast.expr.TupleExpression;
import org.codehaus.groovy.ast.stmt.Statement;
import org.codehaus.groovy.control.CompilationUnit;
import org.codehaus.groovy.control.Phases;

/** Tells what a pipeline's source uses, line by line of its syntax tree, run or not, as JSON. */
public final class Inspect extends CodeVisitorSupport {
    private final Map<String, TreeSet<String>> found = new TreeMap<>();
    private final List<Map<String, Object>> calls = new ArrayList<>();

    static String told(File file) throws IOException {
        CompilationUnit unit = new CompilationUnit();
        unit.addSource(file.getName(), new String(Files.readAllBytes(file.toPath()), "UTF-8"));
        unit.compile(Phases.CONVERSION);
        ModuleNode module = unit.getAST().getModules().get(0);
        Inspect seen = new Inspect();
        for (ImportNode one : module.getImports()) {
            seen.note("imports", one.getClassName());
        }
        for (MethodNode one : module.getMethods()) {
            seen.note("own", one.getName());
            one.getCode().visit(seen);
        }
        module.getStatementBlock().visit(seen);
        Map<String, Object> all = new LinkedHashMap<>(seen.found);
        all.put("calls", seen.calls);
        return JsonOutput.toJson(all);
    }

    private void note(String kind, String name) {
        found.computeIfAbsent(kind, absent -> new TreeSet<>()).add(name);
    }

    private void syntax(ASTNode node) {
        note("syntax", node.getClass().getSimpleName());
    }

    @Override
    public void visitMethodCallExpression(MethodCallExpression call) {
        if (call.isImplicitThis()) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("name", call.getMethodAsString());
            row.put("named", namesOf((TupleExpression) call.getArguments()));
            row.put("line", call.getLineNumber());
            calls.add(row);
        } else {
            note("methods", call.getMethodAsString());
        }
        super.visitMethodCallExpression(call);
    }

    private static List<String> namesOf(TupleExpression arguments) {
        List<String> names = new ArrayList<>();
        if (!arguments.getExpressions().isEmpty() && arguments.getExpression(0) instanceof NamedArgumentListExpression) {
            for (MapEntryExpression one : ((MapExpression) arguments.getExpression(0)).getMapEntryExpressions()) {
                names.add(one.getKeyExpression().getText());
            }
        }
        return names;
    }

    @Override
    public void visitConstructorCallExpression(ConstructorCallExpression call) {
        note("constructors", call.getType().getName());
        super.visitConstructorCallExpression(call);
    }

    @Override
    public void visitBinaryExpression(BinaryExpression expression) {
        note("operators", expression.getOperation().getText());
        super.visitBinaryExpression(expression);
    }

    @Override
    public void visitBlockStatement(org.codehaus.groovy.ast.stmt.BlockStatement block) {
        for (Statement one : block.getStatements()) {
            syntax(one);
        }
        super.visitBlockStatement(block);
    }

    @Override
    public void visitClassExpression(org.codehaus.groovy.ast.expr.ClassExpression expression) {
        note("classes", expression.getText());
    }

    @Override
    public void visitVariableExpression(org.codehaus.groovy.ast.expr.VariableExpression variable) {
        // before names are resolved a class is a variable with a capital
        if (Character.isUpperCase(variable.getName().charAt(0))) {
            note("classes", variable.getName());
        }
    }

    @Override
    public void visitMethodPointerExpression(org.codehaus.groovy.ast.expr.MethodPointerExpression pointer) {
        note("syntax", "MethodPointer");
    }

    @Override
    public void visitStaticMethodCallExpression(org.codehaus.groovy.ast.expr.StaticMethodCallExpression call) {
        note("methods", call.getOwnerType().getName() + "." + call.getMethod());
    }

    @Override
    public void visitCastExpression(org.codehaus.groovy.ast.expr.CastExpression expression) {
        note("syntax", "Cast");
        super.visitCastExpression(expression);
    }

    @Override
    public void visitRangeExpression(org.codehaus.groovy.ast.expr.RangeExpression range) {
        note("syntax", "Range");
        super.visitRangeExpression(range);
    }
}
