import java.io.File;
import org.eclipse.jgit.lib.*;
import org.eclipse.jgit.storage.file.FileRepositoryBuilder;

public class Update {
	public static void main(String[] args) throws Exception {
		FileRepositoryBuilder builder = new FileRepositoryBuilder();
		try (Repository repo = builder.setGitDir(new File(args[0])).build()) {
			RefUpdate update = repo.updateRef(args[1]);
			update.setNewObjectId(ObjectId.fromString(args[2]));
			update.setForceUpdate(true);
			update.setRefLogMessage(args[3], false);
			System.out.println(update.update());
		}
	}
}
